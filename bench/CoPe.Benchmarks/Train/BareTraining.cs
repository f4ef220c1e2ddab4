using CoPe.Adapters;
using CoPe.Modeling;
using CoPe.Training;
using static TorchSharp.torch;

namespace CoPe.Benchmarks.Train;

/// <summary>What a step needs at least: forward, backward, clip, step. No order, schedule, report or checkpoint.</summary>
sealed class BareTraining : IDisposable
{
    readonly CausalLm model;
    readonly AdapterBank adapters;
    readonly TrainedWeights weights;
    readonly AdamW optimiser;
    readonly TrainingReplica replica;

    public BareTraining(CausalLm model, AdapterBank adapters)
    {
        (this.model, this.adapters) = (model, adapters);
        weights = new TrainedWeights(adapters.Parameters(), [], adapters.Count);
        optimiser = new AdamW(adapters.Count, weights.Values.shape[1], weights.DecayedWidth, new());
        replica = AdapterRun.Replica(model, null, adapters);
    }

    /// <summary>One step over rows.</summary>
    public void Step(IReadOnlyList<PlannedRow> rows, Func<PassBatch, AdapterRows, Tensor> loss)
    {
        using var scope = NewDisposeScope();
        using var batch = new PassBatch(rows);
        using (var worn = replica.Worn!.Of(rows)) loss(batch, worn!).backward();
        var gradients = replica.TakeGradients();
        gradients.mul_(GradientClipping.Coefficients(GradientClipping.Norms(gradients), 0.3).unsqueeze(1));
        optimiser.Step(weights.Values, gradients, Enumerable.Repeat<double?>(1e-4, adapters.Count).ToArray());
        weights.Publish();
    }

    /// <summary>Mean loss with logits at the labels only.</summary>
    public Tensor LabelLoss(PassBatch batch, AdapterRows worn) => SftLoss.Mean(LabelLogits.Of(model, batch, worn), batch.Labels);

    /// <summary>Mean loss with logits at every position, as the reference computes it.</summary>
    public Tensor FullLoss(PassBatch batch, AdapterRows worn)
    {
        using var scope = NewDisposeScope();
        using var everywhere = new TokenBatch(batch.Tokens.Ids.alias());
        var logits = model.Logits(model.Forward(everywhere, worn).flatten(0, 1)); // [rows * seq, vocab]
        var seq = (int)everywhere.Ids.shape[1];
        var columns = tensor(batch.Rows.SelectMany((row, r) => row.Row.LabelColumns.Select(column => (long)r * seq + column)).ToArray()); // [labels]
        var labels = full([logits.shape[0]], -100, dtype: ScalarType.Int64).index_copy_(0, columns, batch.Labels);
        return nn.functional.cross_entropy(logits, labels, ignore_index: -100).MoveToOuterDisposeScope();
    }

    /// <summary>DPO over chosen and rejected answers as rows of their own, chosen first; the reference policy is recomputed if asked for.</summary>
    public Tensor SeparateDpoLoss(PassBatch batch, AdapterRows worn, bool withReference)
    {
        using var scope = NewDisposeScope();
        var policy = RowLogProbs(batch, worn);
        Tensor reference = zeros_like(policy);
        if (withReference)
        {
            using var noGrad = no_grad();
            reference = RowLogProbs(batch, null);
        }
        var pairs = batch.Rows.Count / 2;
        return DpoLoss.Sigmoid(DpoLoss.LogRatio(policy.narrow(0, 0, pairs), policy.narrow(0, pairs, pairs), reference.narrow(0, 0, pairs), reference.narrow(0, pairs, pairs)), 0.01).mean().MoveToOuterDisposeScope();
    }

    Tensor RowLogProbs(PassBatch batch, AdapterRows? worn) =>
        SequenceLogProb.Sum(-SftLoss.PerToken(LabelLogits.Of(model, batch, worn), batch.Labels), batch.SequenceOfLabel, batch.Sequences);

    public void Dispose()
    {
        replica.Dispose();
        optimiser.Dispose();
        weights.Dispose();
    }
}
