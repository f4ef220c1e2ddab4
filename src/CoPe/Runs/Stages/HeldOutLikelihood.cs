using CoPe.Adapters;
using CoPe.Data;
using CoPe.Decoding;
using CoPe.Negatives;
using CoPe.Runs.Recipes;

namespace CoPe.Runs.Stages;

/// <summary>
/// Measures what greedy ROUGE is too coarse for: the likelihood of the users' real answers to the queries under base, TAM, SFT and DPO, and how often the implicit reward ranks the real answer
/// above answers sampled from the TAM for the same query. Nothing here is seen in training.
/// </summary>
/// <param name="context">The stage at work.</param>
/// <param name="workspace">Data, model and adapters.</param>
sealed class HeldOutLikelihood(StageContext context, RunWorkspace workspace)
{
    /// <summary>Answers sampled per query to rank the real one against.</summary>
    const int Candidates = 3;

    /// <summary>Queries scored between two looks at progress.</summary>
    const int QueriesAtOnce = 64;

    readonly ExampleSource source = new(workspace, context.Recipe.Sft);

    /// <summary>Measures every query that has a gold.</summary>
    public List<QueryLikelihood> Measure()
    {
        var queries = workspace.Dataset.Users.SelectMany((user, index) => user.Queries.Where(query => query.Gold.Length > 0).Select(query => new Asked(user, index, query))).ToList();
        var kinds = new List<UserAdapterKind>();
        if (context.Recipe.Methods().Any(method => method.UserAdapter != UserAdapterKind.None)) kinds.Add(UserAdapterKind.Sft);
        if (context.Recipe.Methods().Any(method => method.UserAdapter == UserAdapterKind.Dpo)) kinds.Add(UserAdapterKind.Dpo);
        using var bank = kinds.Count == 0 ? null : AdapterBank.Stack([.. kinds.Select(kind => workspace.UserAdapters(kind)!)]);
        var sampled = kinds.Count == 0 ? [] : Sample(queries);
        var scorer = new SequenceScorer(workspace.DecodingModel, workspace.Tam, bank);
        var progress = new ItemProgress(context.Progress, "evaluate", 0, queries.Count);
        var measured = new List<QueryLikelihood>();
        foreach (var group in queries.Chunk(QueriesAtOnce))
        {
            var items = group.Select(asked => Item(asked, sampled.GetValueOrDefault(asked.Query.Id, []), kinds.Count)).ToList();
            var scores = scorer.Score(items, context.Cancellation).ToLookup(score => score.ItemId);
            foreach (var asked in group)
            {
                measured.Add(Of(asked, kinds, [.. scores[asked.Query.Id]]));
                progress.Finished(asked.User.Id);
            }
        }

        return measured;
    }

    Dictionary<string, IReadOnlyList<string>> Sample(List<Asked> queries)
    {
        var longest = context.Recipe.Negatives.MaxNewTokens ?? workspace.Task.MaxNewTokens;
        var options = new CandidateOptions { Count = Candidates, Decoding = new DecodingOptions { Sample = true, Temperature = 1, TopP = 0.95, TopK = 0, MaxNewTokens = longest } };
        var generator = new CandidateGenerator(workspace.Engine("evaluate", workspace.Tam, users: null), workspace.Encoder.DecodeResponse, options);
        var items = queries.Select(asked => new CandidateItem(asked.User.Id, asked.Query.Id, source.Prompt(asked.Query, longest), asked.Query.Gold));
        var progress = new ItemProgress(context.Progress, "evaluate", 0, queries.Count);
        var sampled = new Dictionary<string, IReadOnlyList<string>>();
        foreach (var set in generator.Generate(items, SeedOf.Part(context.Recipe.Seed, "evaluate"), progress, context.Cancellation))
        {
            sampled[set.ItemId] = [.. set.Candidates.Select(candidate => candidate.Text)];
            progress.Finished(set.UserId);
        }

        return sampled;
    }

    ScoringItem Item(Asked asked, IReadOnlyList<string> candidates, int kinds)
    {
        var longest = workspace.ContextLength / 2;
        IReadOnlyList<int> Cut(int[] ids) => ids.Length <= longest ? ids : ids[..longest];
        IReadOnlyList<IReadOnlyList<int>> answers = [.. candidates.Prepend(source.AnswerText(asked.Query)).Select(text => Cut(workspace.Encoder.EncodeResponse(text)))];
        var users = workspace.Dataset.Users.Count;
        IReadOnlyList<WornAdapters> policies = [WornAdapters.Base, WornAdapters.TaskAdaptiveModel, .. Enumerable.Range(0, kinds).Select(kind => new WornAdapters(true, kind * users + asked.Index))];
        return new ScoringItem(asked.Query.Id, source.Prompt(asked.Query, answers.Max(answer => answer.Count)), answers, policies);
    }

    static QueryLikelihood Of(Asked asked, List<UserAdapterKind> kinds, IReadOnlyList<ScoredResponse> scores)
    {
        string[] models = ["base", "tam", .. kinds.Select(kind => kind.ToString().ToLowerInvariant())];
        var means = scores.ToLookup(score => score.Policy, score => (score.Response, score.Mean));
        double[] Of(int policy) => [.. means[policy].OrderBy(score => score.Response).Select(score => score.Mean)];
        var tam = Of(1);
        var ranks = new Dictionary<string, double>();
        for (var kind = 0; kind < kinds.Count && tam.Length > 1; kind++)
        {
            var rewards = Of(2 + kind).Zip(tam, (user, task) => user - task).ToArray();
            ranks[models[2 + kind]] = rewards[1..].Average(reward => (Math.Sign(rewards[0] - reward) + 1) / 2.0);
        }

        return new QueryLikelihood
        {
            User = asked.User.Id,
            Query = asked.Query.Id,
            Tokens = scores[0].LogProbs.Count,
            Nll = models.Select((model, policy) => (model, -Of(policy)[0])).ToDictionary(),
            RewardRank = ranks,
        };
    }

    sealed record Asked(LampUser User, int Index, LampQuery Query);
}
