namespace CoPe.Runs.Examples;

/// <summary>A stage in which the model sees examples.</summary>
public enum SeenStage
{
    /// <summary>Training of the task-adaptive model: a query of another user.</summary>
    Tam,

    /// <summary>Training of a user's adapter: an item of his history.</summary>
    Sft,

    /// <summary>Preference training: an item of his history, his own text and the rejected one.</summary>
    Dpo,

    /// <summary>Prediction: a query of his.</summary>
    Predict,
}
