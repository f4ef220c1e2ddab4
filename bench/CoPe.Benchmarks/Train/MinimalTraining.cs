using CoPe.Adapters;
using CoPe.Modeling;
using CoPe.Training;
using static TorchSharp.torch;

namespace CoPe.Benchmarks.Train;

/// <summary>
/// What a step needs at least: forward, backward, clip, step. No order, schedule, report or checkpoint.
/// </summary>
sealed class MinimalTraining : IDisposable
{
    readonly CausalLm _model;
    readonly AdapterBank _adapters;
    readonly TrainedWeights _weights;
    readonly AdamW _optimiser;
    readonly TrainingReplica _replica;

    public MinimalTraining(CausalLm model, AdapterBank adapters)
    {
        (_model, _adapters) = (model, adapters);
        _weights = new TrainedWeights(adapters.Parameters(), [], adapters.Count);
        _optimiser = new AdamW(adapters.Count, _weights.Values.shape[1], _weights.DecayedWidth, new());
        _replica = AdapterTraining.CreateReplica(model, null, adapters);
    }

    /// <summary>One step over rows.</summary>
    public void Step(IReadOnlyList<PlannedRow> rows, Func<PassBatch, AdapterRows, Tensor> loss)
    {
        using var scope = NewDisposeScope();
        using var batch = new PassBatch(rows);
        using (var worn = _replica.Adapters!.SelectRows(rows))
        {
            loss(batch, worn!).backward();
        }

        var gradients = _replica.TakeGradients();
        gradients.mul_(
            GradientClipping.ComputeCoefficients(GradientClipping.ComputeNorms(gradients), 0.3).unsqueeze(1)
        );
        _optimiser.Step(_weights.Values, gradients, Enumerable.Repeat<double?>(1e-4, _adapters.Count).ToArray());
        _weights.CopyToModel();
    }

    /// <summary>Mean loss with logits at the labels only.</summary>
    public Tensor ComputeLabelLoss(PassBatch batch, AdapterRows worn) =>
        SftLoss.ComputeMean(LabelLogits.Compute(_model, batch, worn), batch.Labels);

    /// <summary>Mean loss with logits at every position, as the reference computes it.</summary>
    public Tensor ComputeFullLoss(PassBatch batch, AdapterRows worn)
    {
        using var scope = NewDisposeScope();
        using var everywhere = new TokenBatch(batch.Tokens.Ids.alias());
        var logits = _model.ComputeLogits(_model.Forward(everywhere, worn).flatten(0, 1)); // [rows * seq, vocab]
        var seq = (int)everywhere.Ids.shape[1];
        var columns = tensor(
            batch.Rows.SelectMany((row, r) => row.Row.LabelColumns.Select(column => (long)r * seq + column)).ToArray()
        ); // [labels]
        var labels = full([logits.shape[0]], -100, dtype: ScalarType.Int64).index_copy_(0, columns, batch.Labels);
        return nn.functional.cross_entropy(logits, labels, ignore_index: -100).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// DPO over chosen and rejected answers as rows of their own, chosen first; the reference policy is recomputed if
    /// asked for.
    /// </summary>
    public Tensor ComputeSeparateDpoLoss(PassBatch batch, AdapterRows worn, bool withReference)
    {
        using var scope = NewDisposeScope();
        var policy = ComputeRowLogProbs(batch, worn);
        var reference = zeros_like(policy);
        if (withReference)
        {
            using var noGrad = no_grad();
            reference = ComputeRowLogProbs(batch, null);
        }
        var pairs = batch.Rows.Count / 2;
        return DpoLoss
            .Sigmoid(
                DpoLoss.LogRatio(
                    policy.narrow(0, 0, pairs),
                    policy.narrow(0, pairs, pairs),
                    reference.narrow(0, 0, pairs),
                    reference.narrow(0, pairs, pairs)
                ),
                0.01
            )
            .mean()
            .MoveToOuterDisposeScope();
    }

    Tensor ComputeRowLogProbs(PassBatch batch, AdapterRows? worn) =>
        SequenceLogProb.Sum(
            -SftLoss.ComputePerToken(LabelLogits.Compute(_model, batch, worn), batch.Labels),
            batch.SequenceOfLabel,
            batch.Sequences
        );

    public void Dispose()
    {
        _replica.Dispose();
        _optimiser.Dispose();
        _weights.Dispose();
    }
}
