namespace CoPe.Training;

/// <summary>Where one user stands; part of a checkpoint.</summary>
internal sealed class UserState
{
    public TrainingEnd End { get; set; }

    public long Steps { get; set; }

    public double? LastLoss { get; set; }

    public double? BestDevelopmentLoss { get; set; }

    public int EvaluationsSinceBest { get; set; }
}
