using CoPe.Kernels.Torch;
using static TorchSharp.torch;

namespace CoPe.Training;

/// <summary>What a loop minimises: the only part in which supervised, preference and pre-training differ.</summary>
interface ITrainingObjective
{
    /// <summary>Names of the figures, the loss first.</summary>
    IReadOnlyList<string> Figures { get; }

    /// <summary>What a row counts in its user's mean: its labels, or 1.</summary>
    double LossWeight(TrainingRow row);

    /// <summary>
    /// Figures of each row <c>[rows, figures]</c> float32, to be summed over a user's batch and divided by its mass.
    /// </summary>
    /// <param name="labelLogits">Logits at the labels <c>[labels, vocab]</c> float32.</param>
    /// <param name="batch">The pass.</param>
    Tensor ComputeFigures(Tensor labelLogits, PassBatch batch);
}

/// <summary><see cref="SftLoss"/> as a loop minimises it: the mean over the label tokens of a user's batch.</summary>
sealed class SftObjective : ITrainingObjective
{
    public IReadOnlyList<string> Figures { get; } = ["loss"];

    public double LossWeight(TrainingRow row) => row.Labels.Length;

    public Tensor ComputeFigures(Tensor labelLogits, PassBatch batch)
    {
        using var scope = NewDisposeScope();
        return SequenceLogProb
            .Sum(SftLoss.ComputePerToken(labelLogits, batch.Labels), batch.SequenceOfLabel, batch.Sequences)
            .unsqueeze(1)
            .MoveToOuterDisposeScope(); // [rows, 1]
    }
}

/// <summary><see cref="DpoLoss"/> as a loop minimises it: the mean over the pairs of a user's batch.</summary>
/// <param name="options">Loss and its constants.</param>
/// <param name="references">Reference log-probabilities by user and row.</param>
sealed class DpoObjective(DpoOptions options, IReadOnlyList<ReferenceLogProbs[]> references) : ITrainingObjective
{
    public IReadOnlyList<string> Figures { get; } =
    [
        "loss",
        "rewards/chosen",
        "rewards/rejected",
        "rewards/margins",
        "rewards/accuracies",
        "logps/chosen",
        "logps/rejected",
        "nll",
    ];

    public double LossWeight(TrainingRow row) => 1;

    public Tensor ComputeFigures(Tensor labelLogits, PassBatch batch)
    {
        using var scope = NewDisposeScope();
        var lengths = Pairs(batch, row => (row.Row.FirstLabels, row.Row.Labels.Length - row.Row.FirstLabels));
        var reference = Pairs(
            batch,
            row => (references[row.User][row.Example].Chosen, references[row.User][row.Example].Rejected)
        );
        var policy = SequenceLogProb
            .Sum(-SftLoss.ComputePerToken(labelLogits, batch.Labels), batch.SequenceOfLabel, batch.Sequences)
            .view(-1, 2); // [pairs, 2]
        var nll =
            -policy.select(1, 0)
            * tensor(
                batch.Rows.Select(row => (float)(row.TokenWeight / row.Weight)).ToArray(),
                device: batch.Labels.device
            ); // its mean over pairs is the batch's mean over tokens
        var (compared, against) =
            options.Loss == DpoLossKind.Ipo ? (policy / lengths, reference / lengths) : (policy, reference);
        var (chosen, rejected) = (compared.select(1, 0), compared.select(1, 1));
        var (referenceChosen, referenceRejected) = (against.select(1, 0), against.select(1, 1));
        var loss = PairLoss(DpoLoss.LogRatio(chosen, rejected, referenceChosen, referenceRejected));
        if (options.RpoAlpha > 0)
        {
            loss = loss.add(nll, Scalars.Of(options.RpoAlpha));
        }

        var chosenReward = DpoLoss.Reward(chosen, referenceChosen, options.Beta).detach();
        var rejectedReward = DpoLoss.Reward(rejected, referenceRejected, options.Beta).detach();
        Tensor[] figures =
        [
            loss,
            chosenReward,
            rejectedReward,
            chosenReward - rejectedReward,
            (chosenReward > rejectedReward).to(ScalarType.Float32),
            chosen.detach(),
            rejected.detach(),
            nll.detach(),
        ];
        return stack(figures, 1).MoveToOuterDisposeScope(); // [pairs, figures]
    }

    Tensor PairLoss(Tensor logRatio) =>
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

    static Tensor Pairs(PassBatch batch, Func<PlannedRow, (float Chosen, float Rejected)> value) =>
        tensor(
            batch.Rows.SelectMany(row => new[] { value(row).Chosen, value(row).Rejected }).ToArray(),
            [batch.Rows.Count, 2],
            device: batch.Labels.device
        );
}
