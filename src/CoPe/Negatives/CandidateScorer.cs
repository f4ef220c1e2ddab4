using CoPe.Decoding;

namespace CoPe.Negatives;

/// <summary>Scores own texts and candidates under the user's model and the task-adaptive model, both in one pass, each prompt computed once.</summary>
/// <param name="scorer">A scorer with the task's adapter and the users'.</param>
/// <param name="span">Which tokens count. For prompt and answer the caller gives both as raw text; the very first token has no probability.</param>
public sealed class CandidateScorer(SequenceScorer scorer, RewardSpan span = RewardSpan.Response)
{
    /// <summary>Scores the items, in their order.</summary>
    /// <param name="items">The items.</param>
    /// <param name="cancellation">Looked at before every pass.</param>
    public IReadOnlyList<ScoredItem> Score(IReadOnlyList<ItemToScore> items, CancellationToken cancellation = default)
    {
        var scored = scorer.Score(items.Select(ToScoringItem), cancellation);
        var results = new List<ScoredItem>(items.Count);
        var at = 0;
        foreach (var item in items)
        {
            var texts = item.Candidates.Count + 1;
            var (user, task) = (at, at + texts); // scores come by policy, then by response
            var scores = Enumerable.Range(0, texts).Select(i => new CandidateScore(scored[user + i].Sum, scored[task + i].Sum, scored[user + i].LogProbs.Count)).ToList();
            results.Add(new ScoredItem(item.UserId, item.ItemId, scores[0], scores[1..]));
            at += 2 * texts;
        }
        return results;
    }

    ScoringItem ToScoringItem(ItemToScore item)
    {
        var prompt = span == RewardSpan.Response ? item.Prompt : [item.Prompt[0]];
        var lead = span == RewardSpan.Response ? [] : item.Prompt.Skip(1);
        IReadOnlyList<IReadOnlyList<int>> responses = [.. item.Candidates.Prepend(item.Gold).Select(text => (IReadOnlyList<int>)[.. lead, .. text])];
        return new ScoringItem($"{item.UserId}/{item.ItemId}", prompt, responses, [new WornAdapters(true, item.UserAdapter), WornAdapters.TaskAdaptiveModel]);
    }
}
