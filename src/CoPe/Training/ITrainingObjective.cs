using CoPe.Kernels.Torch;
using static TorchSharp.torch;

namespace CoPe.Training;

/// <summary>What a loop minimizes: the only part in which supervised, preference and pre-training differ.</summary>
interface ITrainingObjective
{
    /// <summary>What a row counts in the mean over its user's batch: its labels, or 1.</summary>
    double GetLossWeight(TrainingRow row);

    /// <summary>
    /// Figures of each row, to be summed over a user's batch and divided by its loss weight; owned by the caller.
    /// </summary>
    /// <param name="labelLosses">Negative log-likelihood of each label <c>[labels]</c> float32.</param>
    /// <param name="batch">The pass.</param>
    RowFigures ComputeFigures(Tensor labelLosses, TrainingBatch batch);
}

/// <summary><see cref="SftLoss"/> as a loop minimizes it: the mean over the label tokens of a user's batch.</summary>
sealed class SftObjective : ITrainingObjective
{
    public double GetLossWeight(TrainingRow row) => row.Prompt.Labels.Count;

    public RowFigures ComputeFigures(Tensor labelLosses, TrainingBatch batch)
    {
        using var scope = NewDisposeScope();
        var tokens = batch.Tokens;
        var rowLosses = SequenceLogProb.Sum(labelLosses, tokens.ResponseOfLabel, tokens.ResponseCount); // [rows]
        return new RowFigures(rowLosses).MoveToOuterDisposeScope();
    }
}

/// <summary>
/// <see cref="DpoLoss"/> as a loop minimizes it: the mean over the pairs of a user's batch. Every row is a pair with
/// known reference log-probabilities.
/// </summary>
/// <param name="options">Loss and its constants.</param>
sealed class DpoObjective(DpoOptions options) : ITrainingObjective
{
    public double GetLossWeight(TrainingRow row) => 1;

    public RowFigures ComputeFigures(Tensor labelLosses, TrainingBatch batch)
    {
        using var scope = NewDisposeScope();
        var tokens = batch.Tokens;
        var sums = SequenceLogProb.Sum(-labelLosses, tokens.ResponseOfLabel, tokens.ResponseCount);
        var policy = sums.view(-1, 2); // [pairs, 2]
        var reference = CreateReference(batch); // [pairs, 2]
        var chosenNll = ComputeChosenNll(policy, batch); // [pairs]
        if (options.Loss == DpoLossKind.Ipo)
        {
            var lengths = CreateLengths(batch); // [pairs, 2]
            policy /= lengths;
            reference /= lengths;
        }
        var (chosen, rejected) = (policy.select(1, 0), policy.select(1, 1));
        var (referenceChosen, referenceRejected) = (reference.select(1, 0), reference.select(1, 1));
        var loss = ComputeLoss(DpoLoss.LogRatio(chosen, rejected, referenceChosen, referenceRejected));
        if (options.RpoAlpha is { } rpoAlpha)
        {
            loss = loss.add(chosenNll, Scalars.Of(rpoAlpha));
        }
        var chosenReward = DpoLoss.Reward(chosen, referenceChosen, options.Beta);
        var rejectedReward = DpoLoss.Reward(rejected, referenceRejected, options.Beta);
        return new RowFigures(loss)
            .Add("rewards/chosen", chosenReward)
            .Add("rewards/rejected", rejectedReward)
            .Add("rewards/margins", chosenReward - rejectedReward)
            .Add("rewards/accuracies", (chosenReward > rejectedReward).to(ScalarType.Float32))
            .Add("logps/chosen", chosen)
            .Add("logps/rejected", rejected)
            .Add("nll", chosenNll)
            .MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Negative log-likelihood of each chosen response, weighted so that its mean over the pairs of a batch is the
    /// batch's mean over tokens <c>[pairs]</c>.
    /// </summary>
    static Tensor ComputeChosenNll(Tensor policy, TrainingBatch batch)
    {
        float[] weights = [.. batch.Rows.Select(row => (float)(row.TokenWeight / row.Weight))];
        return -policy.select(1, 0) * tensor(weights, device: policy.device);
    }

    Tensor ComputeLoss(Tensor logRatio) =>
        options.Loss switch
        {
            DpoLossKind.Sigmoid => DpoLoss.Sigmoid(logRatio, options.Beta, options.LabelSmoothing),
            DpoLossKind.Ipo => DpoLoss.Ipo(logRatio, options.Beta),
            DpoLossKind.Hinge => DpoLoss.Hinge(logRatio, options.Beta),
            _ => throw new ArgumentOutOfRangeException(
                nameof(logRatio),
                $"The loss {options.Loss} is not one of {string.Join(", ", Enum.GetNames<DpoLossKind>())}."
            ),
        };

    static Tensor CreateReference(TrainingBatch batch)
    {
        var references = batch.Rows.Select(row => row.Row.Reference!.Value);
        float[] values = [.. references.SelectMany(reference => new[] { reference.Chosen, reference.Rejected })];
        return tensor(values, [batch.Rows.Count, 2], device: batch.Weights.device);
    }

    static Tensor CreateLengths(TrainingBatch batch)
    {
        var lengths = batch.Rows.SelectMany(row => row.Row.Prompt.ResponseLengths);
        return tensor(
            [.. lengths.Select(length => (float)length)],
            [batch.Rows.Count, 2],
            device: batch.Weights.device
        );
    }
}
