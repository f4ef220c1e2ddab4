namespace CoPe.Runs.Stages;

/// <summary>What the training of one group of users reports to.</summary>
/// <param name="Stage">Options, figures and checkpoints.</param>
/// <param name="Progress">Progress of the whole stage.</param>
sealed record GroupTraining(StageTraining Stage, IProgress<StageProgress> Progress);
