namespace CoPe.Runs.Chat;

/// <summary>Who answers in a chat.</summary>
public enum ChatSide
{
    /// <summary>The model without any adapter.</summary>
    Base,

    /// <summary>The user's model, contrasted with the task-adaptive model.</summary>
    Personal,
}
