using CoPe.Decoding;

namespace CoPe.Negatives;

/// <summary>Scores own texts and candidates under the user's model and the task-adaptive model, both in one pass, each prompt computed once.</summary>
/// <param name="scorer">A scorer with the task's adapter and the users'.</param>
/// <param name="span">Which tokens count. For prompt and answer the caller gives both as raw text; the very first token has no probability, which is the answer's own where the prompt is empty.</param>
public sealed class CandidateScorer(SequenceScorer scorer, RewardSpan span = RewardSpan.Response)
{
    /// <summary>Scores the items, in their order.</summary>
    /// <param name="items">The items.</param>
    /// <param name="cancellation">Looked at before every pass.</param>
    public IReadOnlyList<ScoredItem> Score(IReadOnlyList<ItemToScore> items, CancellationToken cancellation = default)
    {
        var asked = items.Select(ToScoringItems).ToList();
        var scored = scorer.Score(asked.SelectMany(parts => parts), cancellation);
        var results = new List<ScoredItem>(items.Count);
        var at = 0;
        foreach (var (item, parts) in items.Zip(asked))
        {
            var scores = new List<CandidateScore>();
            foreach (var texts in parts.Select(part => part.Responses.Count))
            {
                var (user, task) = (at, at + texts); // scores come by policy, then by response
                scores.AddRange(Enumerable.Range(0, texts).Select(i => new CandidateScore(scored[user + i].Sum, scored[task + i].Sum, scored[user + i].LogProbs.Count)));
                at += 2 * texts;
            }

            results.Add(new ScoredItem(item.UserId, item.ItemId, scores[0], scores[1..]));
        }

        return results;
    }

    /// <summary>An item as one prompt with all its texts; where only a text's own first token can be its prompt, a prompt a text.</summary>
    ScoringItem[] ToScoringItems(ItemToScore item)
    {
        var texts = item.Candidates.Prepend(item.Gold);
        if (span == RewardSpan.Response) return [Asked(item, item.Prompt, texts)];
        if (item.Prompt.Count == 0) return [.. texts.Select(text => Asked(item, [.. text.Take(1)], [[.. text.Skip(1)]]))];
        return [Asked(item, [item.Prompt[0]], texts.Select(text => (IReadOnlyList<int>)[.. item.Prompt.Skip(1), .. text]))];
    }

    static ScoringItem Asked(ItemToScore item, IReadOnlyList<int> prompt, IEnumerable<IReadOnlyList<int>> responses) =>
        new($"{item.UserId}/{item.ItemId}", prompt, [.. responses], [new WornAdapters(true, item.UserAdapter), WornAdapters.TaskAdaptiveModel]);
}
