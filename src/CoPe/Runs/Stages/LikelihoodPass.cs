using CoPe.Decoding;

namespace CoPe.Runs.Stages;

/// <summary>Models that read the same prompt, scored in one pass.</summary>
/// <param name="Scorer">The scorer over their adapters.</param>
/// <param name="Prompt">The prompt of a query.</param>
/// <param name="Models">Name and adapters of each model.</param>
sealed record LikelihoodPass(SequenceScorer Scorer, Func<AskedQuery, IReadOnlyList<int>> Prompt, IReadOnlyList<(string Name, Func<AskedQuery, WornAdapters> Worn)> Models)
{
    /// <summary>Adds to each query, in their order, the log-likelihood per token of every answer under each model.</summary>
    public void Score(IReadOnlyList<AskedQuery> queries, IReadOnlyList<Dictionary<string, double[]>> means, CancellationToken cancellation)
    {
        var items = queries.Select(asked => new ScoringItem(asked.Query.Id, Prompt(asked), asked.Answers, [.. Models.Select(model => model.Worn(asked))]));
        var scores = Scorer.Score(items, cancellation).ToLookup(score => (score.ItemId, score.Policy));
        foreach (var (asked, found) in queries.Zip(means))
            for (var policy = 0; policy < Models.Count; policy++)
                found[Models[policy].Name] = [.. scores[(asked.Query.Id, policy)].OrderBy(score => score.Response).Select(score => score.Mean)];
    }
}
