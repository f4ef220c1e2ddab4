using CoPe.Adapters;
using CoPe.Decoding;
using CoPe.Negatives;
using CoPe.Runs.Recipes;

namespace CoPe.Runs.Stages;

/// <summary>
/// Measures what greedy ROUGE is too coarse for: the likelihood of the users' real answers to the queries under every model of the recipe, each with its own prompt, and how often the implicit
/// reward ranks the real answer above answers sampled from the TAM for the same query. Nothing here is seen in training. A method that contrasts has no likelihood: its score is no distribution over texts.
/// </summary>
/// <param name="context">The stage at work.</param>
/// <param name="workspace">Data, model and adapters.</param>
sealed class HeldOutLikelihood(StageContext context, RunWorkspace workspace)
{
    /// <summary>Answers sampled per query to rank the real one against.</summary>
    const int Candidates = 3;

    /// <summary>Queries scored between two looks at progress.</summary>
    const int QueriesAtOnce = 64;

    const string Stage = "evaluate", Base = "base", Tam = "tam";

    readonly ExampleSource source = new(workspace, context.Recipe.Sft);
    readonly List<PredictionMethod> methods = [.. context.Recipe.Methods()];
    readonly bool hasTam = context.Recipe.Methods().Any(method => method.NeedsTam(context.Recipe));

    /// <summary>Measures every query that has a gold, in portions that an interruption leaves on the disk.</summary>
    public IReadOnlyList<QueryLikelihood> Measure()
    {
        var kinds = new List<UserAdapterKind>();
        if (methods.Any(method => method.UserAdapter != UserAdapterKind.None)) kinds.Add(UserAdapterKind.Sft);
        if (methods.Any(method => method.UserAdapter == UserAdapterKind.Dpo)) kinds.Add(UserAdapterKind.Dpo);
        var histories = methods.Where(method => method.Context != ContextKind.None).ToList();
        var queries = workspace.Dataset.Users.SelectMany((user, index) => user.Queries.Where(query => query.Gold.Length > 0).Select(query => new AskedQuery(user, index, query, []))).ToList();
        var withCandidates = hasTam && kinds.Count + histories.Count > 0;
        using var bank = kinds.Count == 0 ? null : AdapterBank.Stack([.. kinds.Select(kind => workspace.UserAdapters(kind)!)]);
        var scorer = new SequenceScorer(workspace.DecodingModel, hasTam ? workspace.Tam : null, bank);
        List<LikelihoodPass> passes = [OfAdapters(scorer, kinds), .. histories.Select(method => OfHistory(scorer, method))];
        if (methods.Any(method => method.TaskAdapter == TaskAdapterKind.Everyone)) passes.Add(OfEveryone());
        var references = kinds.Select(kind => (NameOf(kind), Tam)).Concat(histories.Select(method => (method.Name, method.NeedsTam(context.Recipe) ? Tam : Base))).ToList();
        var portions = new Portions<QueryLikelihood>(context, Stage);
        var looks = withCandidates ? 2 : 1; // sampled for, and scored
        var progress = new ItemProgress(context.Progress, Stage, (long)portions.Done * looks, (long)queries.Count * looks);
        var size = withCandidates ? PortionSize.Of(workspace.DecodingModel, context.Recipe.Decode, Candidates, LongestSample) : QueriesAtOnce;
        return portions.Run(queries, size, portion =>
        {
            var sampled = withCandidates ? Sample(portion, progress) : [];
            return portion.Select(asked => WithAnswers(asked, sampled)).Chunk(QueriesAtOnce).SelectMany(group => Measure(group, passes, references, progress));
        });
    }

    int LongestSample => context.Recipe.Negatives.MaxNewTokens ?? workspace.Task.MaxNewTokens;

    /// <summary>Base, TAM and the users' adapters, all asked the query alone.</summary>
    LikelihoodPass OfAdapters(SequenceScorer scorer, List<UserAdapterKind> kinds)
    {
        var users = workspace.Dataset.Users.Count;
        List<(string, Func<AskedQuery, WornAdapters>)> models = [(Base, _ => WornAdapters.Base)];
        if (hasTam) models.Add((Tam, _ => WornAdapters.TaskAdaptiveModel));
        models.AddRange(kinds.Select<UserAdapterKind, (string, Func<AskedQuery, WornAdapters>)>((kind, place) => (NameOf(kind), asked => new WornAdapters(true, place * users + asked.Index))));
        return new(scorer, PlainPrompt, models);
    }

    /// <summary>A method that reads the history, in the prompt it answers to.</summary>
    LikelihoodPass OfHistory(SequenceScorer scorer, PredictionMethod method)
    {
        var prompts = new ContextPrompts(context, workspace, method.Context);
        var room = PredictStage.DecodingOf(context.Recipe.Decode, workspace.Task).MaxNewTokens;
        var worn = new WornAdapters(method.NeedsTam(context.Recipe));
        return new(scorer, asked => prompts.Prompt(asked.User, asked.Query, Math.Max(room, asked.LongestAnswer)), [(method.Name, _ => worn)]);
    }

    /// <summary>The adapter trained on everyone, asked the query alone.</summary>
    LikelihoodPass OfEveryone()
    {
        var method = methods.Find(method => method.TaskAdapter == TaskAdapterKind.Everyone)!;
        var scorer = new SequenceScorer(workspace.DecodingModel, workspace.TaskAdapter(TaskAdapterKind.Everyone), null);
        return new(scorer, PlainPrompt, [(method.Name, _ => WornAdapters.TaskAdaptiveModel)]);
    }

    IReadOnlyList<int> PlainPrompt(AskedQuery asked) => source.Prompt(asked.Query, asked.LongestAnswer);

    IEnumerable<QueryLikelihood> Measure(AskedQuery[] queries, List<LikelihoodPass> passes, List<(string Model, string Reference)> references, ItemProgress progress)
    {
        var means = queries.Select(_ => new Dictionary<string, double[]>()).ToList();
        foreach (var pass in passes) pass.Score(queries, means, context.Cancellation);
        foreach (var asked in queries) progress.Finished(asked.User.Id);
        return queries.Zip(means, (asked, found) => new QueryLikelihood
        {
            User = asked.User.Id,
            Query = asked.Query.Id,
            Tokens = asked.Answers[0].Count,
            Nll = found.ToDictionary(model => model.Key, model => -model.Value[0]),
            RewardRank = asked.Answers.Count < 2 ? new Dictionary<string, double>() : references.ToDictionary(pair => pair.Model, pair => Rank(found[pair.Model], found[pair.Reference])),
        });
    }

    /// <summary>By rewards per token; the real answer comes first.</summary>
    static double Rank(double[] model, double[] reference)
    {
        var rewards = model.Zip(reference, (one, other) => one - other).ToArray();
        return RewardRank.Of(rewards[0], rewards[1..])!.Value;
    }

    /// <summary>The user's own answer first, then the sampled ones.</summary>
    AskedQuery WithAnswers(AskedQuery asked, Dictionary<string, IReadOnlyList<string>> sampled)
    {
        var longest = workspace.ContextLength / 2;
        IReadOnlyList<int> Cut(int[] ids) => ids.Length <= longest ? ids : ids[..longest];
        return asked with { Answers = [.. sampled.GetValueOrDefault(asked.Query.Id, []).Prepend(source.AnswerText(asked.Query)).Select(text => Cut(workspace.Encoder.EncodeResponse(text)))] };
    }

    Dictionary<string, IReadOnlyList<string>> Sample(IReadOnlyList<AskedQuery> queries, ItemProgress progress)
    {
        var options = new CandidateOptions { Count = Candidates, Decoding = new DecodingOptions { Sample = true, Temperature = 1, TopP = 0.95, TopK = 0, MaxNewTokens = LongestSample } };
        var generator = new CandidateGenerator(workspace.Engine(Stage, workspace.Tam, users: null), workspace.Encoder.DecodeResponse, options);
        var items = queries.Select(asked => new CandidateItem(asked.User.Id, asked.Query.Id, source.Prompt(asked.Query, LongestSample), asked.Query.Gold));
        var sampled = new Dictionary<string, IReadOnlyList<string>>();
        foreach (var set in generator.Generate(items, SeedOf.Part(context.Recipe.Seed, Stage), progress, context.Cancellation))
        {
            sampled[set.ItemId] = [.. set.Candidates.Select(candidate => candidate.Text)];
            progress.Finished(set.UserId);
        }

        return sampled;
    }

    static string NameOf(UserAdapterKind kind) => kind.ToString().ToLowerInvariant();
}
