using CoPe.Kernels;
using CoPe.Modeling;
using CoPe.Tokens;
using static TorchSharp.torch;

namespace CoPe.Training;

/// <summary>Scores the answers of every pair under the reference policy, unless they are known.</summary>
internal static class ReferenceScorer
{
    /// <summary>Log-probabilities by user and row.</summary>
    public static IReadOnlyList<ReferenceLogProbs[]> Score(TrainingRun run, TrainingAdapters worn, IReadOnlyList<TrainingRow[]> rows, CancellationToken cancellation)
    {
        var scores = rows.Select(ofUser => ofUser.Select(row => row.Reference ?? default).ToArray()).ToArray();
        var unknown = rows.SelectMany((ofUser, user) => ofUser.Select((row, example) => new PlannedRow(user, example, row, 1, 1))).Where(planned => planned.Row.Reference is null);
        var model = run.Model;
        var workers = TorchThreads.ForPasses(model.Device, model.Weights.Bytes);
        var passes = PassPlanner.Split(unknown, run.Options.MaxTokensPerPass, workers);
        var sums = TorchThreads.Run(workers, passes.Count, (_, pass) =>
        {
            cancellation.ThrowIfCancellationRequested();
            return MemoryLimit.Guard(run, passes[pass], () => Sums(model, worn, passes[pass]));
        });
        foreach (var (pass, ofPass) in passes.Zip(sums))
            for (var i = 0; i < pass.Count; i++) scores[pass[i].User][pass[i].Example] = new(ofPass[2 * i], ofPass[2 * i + 1]);
        return scores;
    }

    /// <summary>Log-probabilities of a pass's answers, chosen and rejected in turn.</summary>
    static float[] Sums(CausalLm model, TrainingAdapters worn, IReadOnlyList<PlannedRow> pass)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        using var batch = new PassBatch(pass, model.Device);
        using var adapters = worn.Of(pass);
        var tokens = -SftLoss.PerToken(LabelLogits.Of(model, batch, adapters), batch.Labels);
        return SequenceLogProb.Sum(tokens, batch.SequenceOfLabel, batch.Sequences).cpu().data<float>().ToArray();
    }
}
