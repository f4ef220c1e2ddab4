using static TorchSharp.torch;

namespace CoPe.Training;

/// <summary><see cref="SftLoss"/> as a loop minimises it: the mean over the label tokens of a user's batch.</summary>
internal sealed class SftObjective : ITrainingObjective
{
    public IReadOnlyList<string> Figures { get; } = ["loss"];

    public double Mass(TrainingRow row) => row.Labels.Length;

    public Tensor RowFigures(Tensor labelLogits, PassBatch batch)
    {
        using var scope = NewDisposeScope();
        return SequenceLogProb.Sum(SftLoss.PerToken(labelLogits, batch.Labels), batch.SequenceOfLabel, batch.Sequences).unsqueeze(1).MoveToOuterDisposeScope(); // [rows, 1]
    }
}
