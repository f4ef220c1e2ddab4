using CoPe.Modeling;
using static TorchSharp.torch;

namespace CoPe.Training;

/// <summary>Scores the answers of every pair under the reference policy.</summary>
internal static class ReferenceScorer
{
    /// <summary>Log-probabilities by user and row.</summary>
    public static IReadOnlyList<ReferenceLogProbs[]> Score(CausalLm model, WornAdapters worn, IReadOnlyList<TrainingRow[]> rows, int maxTokensPerPass, CancellationToken cancellation)
    {
        using var noGrad = no_grad();
        var scores = rows.Select(ofUser => new ReferenceLogProbs[ofUser.Length]).ToArray();
        var all = rows.SelectMany((ofUser, user) => ofUser.Select((row, example) => new PlannedRow(user, example, row, 1)));
        foreach (var pass in PassPlanner.Split(all, maxTokensPerPass))
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            using var batch = new PassBatch(pass);
            using var adapters = worn.Of(pass);
            var tokens = -SftLoss.PerToken(LabelLogits.Of(model, batch, adapters), batch.Labels);
            var sums = SequenceLogProb.Sum(tokens, batch.SequenceOfLabel, batch.Sequences).cpu().data<float>().ToArray();
            for (var i = 0; i < pass.Count; i++) scores[pass[i].User][pass[i].Example] = new(sums[2 * i], sums[2 * i + 1]);
        }
        return scores;
    }
}
