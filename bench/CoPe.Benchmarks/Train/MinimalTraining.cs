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
    readonly AdamW _optimizer;
    readonly TrainingReplica _replica;

    public MinimalTraining(CausalLm model, AdapterBank adapters)
    {
        (_model, _adapters) = (model, adapters);
        _weights = new TrainedWeights(adapters.Parameters(), [], adapters.Count);
        _optimizer = new AdamW(adapters.Count, _weights.Values.shape[1], _weights.DecayedWidth, new());
        _replica = new AdapterTraining(new TrainingContext { Model = model }, adapters, null).CreateReplica();
    }

    /// <summary>One step over rows.</summary>
    public void Step(IReadOnlyList<PlannedRow> rows, Func<TrainingBatch, AdapterRows, Tensor> loss)
    {
        using var scope = NewDisposeScope();
        using var batch = new TrainingBatch(rows, _model.Device);
        using (var adapters = _replica.Adapters!.SelectRows(rows))
        {
            loss(batch, adapters!).backward();
        }

        var gradients = _replica.TakeGradients();
        gradients.mul_(
            GradientClipping.ComputeCoefficients(GradientClipping.ComputeNorms(gradients), 0.3).unsqueeze(1)
        );
        _optimizer.Step(_weights.Values, gradients, Enumerable.Repeat<double?>(1e-4, _adapters.Count).ToArray());
        _weights.CopyToModel();
    }

    /// <summary>Mean loss with logits at the labels only.</summary>
    public Tensor ComputeLabelLoss(TrainingBatch batch, AdapterRows adapters)
    {
        using var scope = NewDisposeScope();
        return batch.ComputeLabelLosses(_model, adapters).mean().MoveToOuterDisposeScope();
    }

    /// <summary>Mean loss with logits at every position, as the reference computes it.</summary>
    public Tensor ComputeFullLoss(TrainingBatch batch, AdapterRows adapters)
    {
        using var scope = NewDisposeScope();
        using var everywhere = new TokenBatch(batch.Tokens.Tokens.Ids.alias());
        var logits = _model.ComputeLogits(_model.Forward(everywhere, adapters).flatten(0, 1)); // [rows * seq, vocab]
        var seq = (int)everywhere.Ids.shape[1];
        var columns = tensor(
            batch
                .Rows.SelectMany((row, r) => row.Row.Prompt.LabelColumns.Select(column => (long)r * seq + column))
                .ToArray()
        ); // [labels]
        var labels = full([logits.shape[0]], -100, dtype: ScalarType.Int64)
            .index_copy_(0, columns, batch.Tokens.Labels);
        return nn.functional.cross_entropy(logits, labels, ignore_index: -100).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// DPO over chosen and rejected answers as rows of their own, chosen first; the reference policy is recomputed if
    /// asked for.
    /// </summary>
    public Tensor ComputeSeparateDpoLoss(TrainingBatch batch, AdapterRows adapters, bool withReference)
    {
        using var scope = NewDisposeScope();
        var policy = ComputeRowLogProbs(batch, adapters);
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

    Tensor ComputeRowLogProbs(TrainingBatch batch, AdapterRows? adapters) =>
        SequenceLogProb.Sum(
            -batch.ComputeLabelLosses(_model, adapters),
            batch.Tokens.ResponseOfLabel,
            batch.Tokens.ResponseCount
        );

    public void Dispose()
    {
        _replica.Dispose();
        _optimizer.Dispose();
        _weights.Dispose();
    }
}
