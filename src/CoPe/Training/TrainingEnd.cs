namespace CoPe.Training;

/// <summary>How a user's training stands.</summary>
public enum TrainingEnd
{
    /// <summary>Still training.</summary>
    None,

    /// <summary>All steps were taken.</summary>
    Finished,

    /// <summary>The development loss no longer fell; the best adapter was kept.</summary>
    StoppedEarly,

    /// <summary>The loss or its gradient was no longer a number; the last good adapter was kept.</summary>
    Diverged,

    /// <summary>There was nothing to learn from; the adapter is as it was.</summary>
    NoExamples,
}
