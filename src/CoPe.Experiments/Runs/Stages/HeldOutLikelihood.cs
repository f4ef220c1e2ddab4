using CoPe.Adapters;
using CoPe.Experiments.Data;
using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Negatives;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Tasks;
using CoPe.Scoring;

namespace CoPe.Experiments.Runs.Stages;

/// <summary>
/// Measures what greedy ROUGE is too coarse for: the likelihood of the users' real answers to the queries under every
/// model of the recipe, each with its own prompt, and how often the implicit reward ranks the real answer above answers
/// sampled from the TAM for the same query. No training uses any of it. A method that contrasts has no likelihood: its
/// score is no distribution over texts.
/// </summary>
/// <param name="context">The running stage.</param>
/// <param name="workspace">Data, model and adapters.</param>
sealed class HeldOutLikelihood(StageContext context, RunWorkspace workspace)
{
    /// <summary>Answers sampled per query to rank the real one against.</summary>
    const int Candidates = 3;

    /// <summary>Queries scored between two reports of progress.</summary>
    const int QueriesPerChunk = 64;

    const string Stage = "evaluate",
        Base = "base",
        Tam = "tam";

    readonly ExampleEncoder _encoder = new(workspace, context.Recipe.Sft);
    readonly List<PredictionMethod> _methods = [.. context.Recipe.Methods()];
    readonly bool _hasTam = context.Recipe.Methods().Any(method => method.UsesTam(context.Recipe));

    /// <summary>
    /// Measures every query that has a gold and is not measured yet, in chunks that survive an interruption.
    /// </summary>
    /// <param name="measured">What is measured already.</param>
    /// <returns>All of them, in the order of the dataset.</returns>
    public IReadOnlyList<QueryLikelihood> Measure(IReadOnlyList<QueryLikelihood> measured)
    {
        var lines = measured.ToDictionary(line => line.Query);
        var queries = workspace
            .Dataset.Users.SelectMany(user =>
                user.Queries.Index()
                    .Where(one => one.Item.Gold.Length > 0)
                    .Select(one => new ScoredQuery(user, one.Index))
            )
            .ToList();
        var missing = queries.Where(query => !lines.ContainsKey(query.Query.Id)).ToList();
        if (missing.Count > 0)
        {
            foreach (var line in MeasureMissing(missing))
            {
                lines[line.Query] = line;
            }
        }

        return [.. queries.Select(query => lines[query.Query.Id])];
    }

    IReadOnlyList<QueryLikelihood> MeasureMissing(List<ScoredQuery> queries)
    {
        var kinds = new List<UserAdapterKind>();
        if (_methods.Any(method => method.UserAdapter != UserAdapterKind.None))
        {
            kinds.Add(UserAdapterKind.Sft);
        }

        if (_methods.Any(method => method.UserAdapter == UserAdapterKind.Dpo))
        {
            kinds.Add(UserAdapterKind.Dpo);
        }

        var histories = _methods.Where(method => method.Context != ContextKind.None).ToList();
        var withCandidates = _hasTam && kinds.Count + histories.Count > 0;
        var task = _hasTam ? workspace.Tam : null;
        var scorer = new SequenceScorer(workspace.DecodingModel, task, userAdapters: null);
        List<LikelihoodPass> passes = [.. histories.Select(method => CreateHistoryPass(scorer, method))];
        if (_methods.Any(method => method.TaskAdapter == TaskAdapterKind.Everyone))
        {
            passes.Add(CreateTamAllPass());
        }

        var references = kinds
            .Select(kind => (GetModelName(kind), Tam))
            .Concat(histories.Select(method => (method.Name, method.UsesTam(context.Recipe) ? Tam : Base)))
            .ToList();
        var chunks = new ChunkedWork<QueryLikelihood>(context, StageId.Evaluate);
        var reportsPerQuery = withCandidates ? 2 : 1; // sampled for, and scored
        var progress = new ItemProgress(
            context.Progress,
            Stage,
            (long)chunks.CompletedItems * reportsPerQuery,
            (long)queries.Count * reportsPerQuery
        );
        var size = withCandidates
            ? ChunkSize.Compute(workspace.DecodingModel, workspace.RowsPerPass, Candidates, MaxSampleTokens)
            : QueriesPerChunk;
        return chunks.Run(
            queries,
            query => query.User.Id,
            size,
            chunk =>
            {
                var sampled = withCandidates ? SampleAnswers(chunk, progress) : [];
                return chunk
                    .Select(query => AddAnswers(query, sampled))
                    .Chunk(QueriesPerChunk)
                    .SelectMany(MeasureGroup);
            }
        );

        IEnumerable<QueryLikelihood> MeasureGroup(ScoredQuery[] group)
        {
            using var users =
                kinds.Count == 0 ? null : new UserAdapterBank(workspace, kinds, group.Select(query => query.User));
            return Measure(group, [CreateAdapterPass(users, kinds), .. passes], references, progress);
        }
    }

    int MaxSampleTokens => context.Recipe.Negatives.MaxNewTokens ?? workspace.Task.MaxNewTokens;

    /// <summary>Base, TAM and the users' adapters, all with the query alone as prompt.</summary>
    LikelihoodPass CreateAdapterPass(UserAdapterBank? users, List<UserAdapterKind> kinds)
    {
        var scorer = new SequenceScorer(workspace.DecodingModel, _hasTam ? workspace.Tam : null, users?.Bank);
        List<(string, Func<ScoredQuery, AdapterSelection>)> models = [(Base, _ => AdapterSelection.Base)];
        if (_hasTam)
        {
            models.Add((Tam, _ => workspace.TamSelection));
        }

        models.AddRange(
            kinds.Select<UserAdapterKind, (string, Func<ScoredQuery, AdapterSelection>)>(kind =>
                (GetModelName(kind), query => workspace.UserSelection(users!.GetIndex(kind, query.User.Id)))
            )
        );
        return new(scorer, EncodePlainPrompt, models);
    }

    /// <summary>A method that reads the history, in the prompt it answers to.</summary>
    LikelihoodPass CreateHistoryPass(SequenceScorer scorer, PredictionMethod method)
    {
        var prompts = new InContextPrompts(context, workspace, method.Context);
        var room = context.Recipe.Decode.CreateOptions(workspace.Task).MaxNewTokens;
        var adapters = method.UsesTam(context.Recipe) ? workspace.TamSelection : AdapterSelection.Base;
        return new(
            scorer,
            query => prompts.BuildPrompt(query.User, query.Query, Math.Max(room, query.MaxAnswerTokens)),
            [(method.Name, _ => adapters)]
        );
    }

    /// <summary>The adapter trained on everyone, with the query alone as prompt.</summary>
    LikelihoodPass CreateTamAllPass()
    {
        var method = _methods.Find(method => method.TaskAdapter == TaskAdapterKind.Everyone)!;
        var scorer = new SequenceScorer(workspace.DecodingModel, workspace.TaskAdapter(TaskAdapterKind.Everyone), null);
        return new(scorer, EncodePlainPrompt, [(method.Name, _ => AdapterSelection.Task)]);
    }

    IReadOnlyList<int> EncodePlainPrompt(ScoredQuery query) =>
        _encoder.EncodePrompt(query.Query, query.MaxAnswerTokens);

    IEnumerable<QueryLikelihood> Measure(
        ScoredQuery[] queries,
        List<LikelihoodPass> passes,
        List<(string Model, string Reference)> references,
        ItemProgress progress
    )
    {
        var means = queries.Select(_ => new Dictionary<string, double[]>()).ToList();
        foreach (var pass in passes)
        {
            pass.Score(queries, means, context.Cancellation);
        }

        foreach (var query in queries)
        {
            progress.ReportFinished(query.User.Id);
        }

        return queries.Zip(
            means,
            (query, found) =>
                new QueryLikelihood
                {
                    User = query.User.Id,
                    Query = query.Query.Id,
                    Tokens = query.Answers[0].Count,
                    Nll = new MetricValues(found.Select(model => KeyValuePair.Create(model.Key, -model.Value[0]))),
                    RewardRank =
                        query.Answers.Count < 2
                            ? new Dictionary<string, double>()
                            : new MetricValues(
                                references.Select(pair =>
                                    KeyValuePair.Create(
                                        pair.Model,
                                        ComputeRewardRank(found[pair.Model], found[pair.Reference])
                                    )
                                )
                            ),
                }
        );
    }

    /// <summary>By rewards per token; the real answer comes first.</summary>
    static double ComputeRewardRank(double[] model, double[] reference)
    {
        var rewards = model.Zip(reference, (one, other) => one - other).ToArray();
        return RewardRank.Compute(rewards[0], rewards[1..])!.Value;
    }

    /// <summary>The user's own answer first, then the sampled ones.</summary>
    ScoredQuery AddAnswers(ScoredQuery query, Dictionary<string, IReadOnlyList<string>> sampled)
    {
        var longest = workspace.ContextLength / 2;
        IReadOnlyList<int> Cut(int[] ids) => ids.Length <= longest ? ids : ids[..longest];
        return query with
        {
            Answers =
            [
                .. sampled
                    .GetValueOrDefault(query.Query.Id, [])
                    .Prepend(_encoder.GetAnswerText(query.Query))
                    .Select(text => Cut(workspace.Encoder.EncodeResponse(text))),
            ],
        };
    }

    Dictionary<string, IReadOnlyList<string>> SampleAnswers(IReadOnlyList<ScoredQuery> queries, ItemProgress progress)
    {
        var options = new NegativesOptions { Candidates = Candidates, MaxNewTokens = MaxSampleTokens };
        var generator = new CandidateGenerator(
            workspace.CreateEngine(Stage, workspace.Tam, users: null),
            workspace.Encoder.DecodeResponse,
            options,
            hasTaskAdapter: workspace.Tam is not null
        );
        var items = queries.Select(query => new CandidateItem(
            query.User.Id,
            query.Query.Id,
            _encoder.EncodePrompt(query.Query, MaxSampleTokens),
            query.Query.Gold
        ));
        var sampled = new Dictionary<string, IReadOnlyList<string>>();
        foreach (
            var set in generator.Generate(
                items,
                SeedDerivation.Derive(context.Recipe.Seed, Stage),
                progress,
                context.Cancellation
            )
        )
        {
            sampled[set.ItemId] = [.. set.Candidates.Select(candidate => candidate.Text)];
            progress.ReportFinished(set.UserId);
        }

        return sampled;
    }

    static string GetModelName(UserAdapterKind kind) => kind.ToString().ToLowerInvariant();
}

/// <summary>Models that read the same prompt, scored in one pass.</summary>
/// <param name="Scorer">The scorer over their adapters.</param>
/// <param name="Prompt">The prompt of a query.</param>
/// <param name="Models">Name and adapters of each model.</param>
sealed record LikelihoodPass(
    SequenceScorer Scorer,
    Func<ScoredQuery, IReadOnlyList<int>> Prompt,
    IReadOnlyList<(string Name, Func<ScoredQuery, AdapterSelection> Select)> Models
)
{
    /// <summary>
    /// Adds to each query, in their order, the log-likelihood per token of every answer under each model.
    /// </summary>
    public void Score(
        IReadOnlyList<ScoredQuery> queries,
        IReadOnlyList<Dictionary<string, double[]>> means,
        CancellationToken cancellation
    )
    {
        var items = queries.Select(query => new ScoringItem(
            query.Query.Id,
            Prompt(query),
            query.Answers,
            [.. Models.Select(model => model.Select(query))]
        ));
        var scores = Scorer.Score(items, cancellation).ToLookup(score => (score.ItemId, score.Selection));
        foreach (var (query, found) in queries.Zip(means))
        {
            for (var i = 0; i < Models.Count; i++)
            {
                found[Models[i].Name] =
                [
                    .. scores[(query.Query.Id, i)].OrderBy(score => score.Response).Select(score => score.Mean),
                ];
            }
        }
    }
}

/// <summary>A query whose answer is known, and the answers that its likelihood is measured of.</summary>
/// <param name="User">The user.</param>
/// <param name="Place">Which of their queries.</param>
sealed record ScoredQuery(LampUser User, int Place)
{
    /// <summary>The query, which is read where it is asked for.</summary>
    public LampQuery Query => User.Queries[Place];

    /// <summary>Ids of the user's own answer, then those of sampled ones.</summary>
    public IReadOnlyList<IReadOnlyList<int>> Answers { get; init; } = [];

    /// <summary>Tokens that the prompt must leave room for.</summary>
    public int MaxAnswerTokens => Answers.Max(answer => answer.Count);
}

/// <summary>
/// A line of <c>evaluation/likelihood.jsonl</c>: how likely the user's own answer to a query is to each model, and
/// whether the implicit reward ranks it above sampled answers.
/// </summary>
sealed record QueryLikelihood
{
    /// <summary>The user.</summary>
    public required string User { get; init; }

    /// <summary>The query.</summary>
    public required string Query { get; init; }

    /// <summary>Tokens of the user's own answer, its end included.</summary>
    public required int Tokens { get; init; }

    /// <summary>
    /// Negative log-likelihood per token by model: base, tam, sft, dpo, and the methods that read the history
    /// (<c>rag</c>) or use an adapter of everyone (<c>tam-all</c>).
    /// </summary>
    public required IReadOnlyDictionary<string, double> Nll { get; init; }

    /// <summary>
    /// Share of sampled answers whose implicit reward, per token, is below that of the user's own answer, by model that
    /// knows the user: their adapters against the TAM, the history in the prompt against the same model without it. One
    /// half is chance.
    /// </summary>
    public required IReadOnlyDictionary<string, double> RewardRank { get; init; }
}
