namespace CoPe.Data;

/// <summary>What a task asks for, which decides its metrics.</summary>
public enum TaskOutcome
{
    /// <summary>Free text: ROUGE and METEOR.</summary>
    Text,

    /// <summary>One of a set of labels: accuracy and macro F1.</summary>
    Category,

    /// <summary>A number: MAE and RMSE.</summary>
    Rating,
}
