namespace CoPe.Training;

/// <summary>Stops a user's training when his development loss no longer falls, and keeps his best adapter.</summary>
public sealed record EarlyStopping
{
    /// <summary>Evaluations without a new best after which a user stops.</summary>
    public int Patience { get; init => field = OptionCheck.Positive(value, "early stopping patience"); } = 2;

    /// <summary>Steps between evaluations; 0 evaluates at the end of each epoch.</summary>
    public int EverySteps { get; init => field = OptionCheck.AtLeast(value, 0, "early stopping interval"); }
}
