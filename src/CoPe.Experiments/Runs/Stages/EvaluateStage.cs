using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Runs.Results;
using CoPe.Experiments.Tasks;
using Microsoft.Extensions.Logging;

namespace CoPe.Experiments.Runs.Stages;

/// <summary>
/// Stage 6: predictions against the users' own answers, and how likely these answers are to each model.
/// </summary>
sealed class EvaluateStage : Stage
{
    public override StageId Id => StageId.Evaluate;

    public override IReadOnlyList<string> RecipeKeys =>
        [
            "task",
            "device",
            "seed",
            "users",
            "block_users",
            "history_limit",
            "development_items",
            "decode_dtype",
            "decode.do_sample",
            "decode.runs",
            "predict",
            "evaluate",
            "negatives.max_new_tokens",
            "context",
            "sft.max_words",
        ];

    internal override UserParts ReadsOfUser(Recipe recipe) => UserParts.Queries;

    public override IEnumerable<StageId> Needs(Recipe recipe)
    {
        var predictions = recipe.Methods().Select(StageId.Predict);
        if (!recipe.Evaluate.Likelihood)
        {
            return predictions;
        }

        var requirements = recipe.GetRequirements();
        // Where preferences were trained, the likelihood is measured before and after.
        var measured = requirements with
        {
            Sft = requirements.Sft || requirements.Dpo,
        };
        return predictions.Concat(StageId.RequiredBy(measured));
    }

    public override bool IsRequestedBy(Recipe recipe) => true;

    public override IEnumerable<StageOutput> Outputs(RunDirectory run) =>
        [
            new UserFigures(run.Results),
            new UserFigures(run.ResultsTable),
            new UserFigures(run.Scores),
            new UserFigures(run.Significance),
            new UserFigures(run.SignificanceTable),
            new UserFigures(run.UserResultsTable),
            new UserFigures(run.QueryTable, "answers and figures of users"),
            new UserFigures(run.QueryTableParquet, "answers and figures of users"),
            new UserLines(run.Likelihood),
        ];

    public override InputKinds RebuildReads => InputKinds.Data | InputKinds.Wording;

    public override void RebuildWithoutUser(StageContext context) => WriteResults(context);

    internal override void CheckInputs(RunPreflight preflight)
    {
        preflight.CheckData();
        if (preflight.Context.Recipe.Evaluate.Likelihood)
        {
            preflight.CheckHistories();
        }
    }

    public override void Execute(StageContext context)
    {
        var workspace = context.Workspace;
        context.Blocks?.Merge(new UserLines(context.Run.Likelihood)); // which each block has measured

        // What is there is of users who were here before; the figures over all users are computed from all again.
        var measured = ReadLikelihood(context.Run);
        var likelihood = context.Recipe.Evaluate.Likelihood
            ? new HeldOutLikelihood(context, workspace).Measure(measured)
            : [];
        JsonLines.Write(context.Run.Likelihood, likelihood);
        WriteResults(context);
    }

    static List<QueryLikelihood> ReadLikelihood(RunDirectory run) =>
        [.. JsonLines.Read(run.Likelihood, (QueryLikelihood line) => line.Query).Values];

    /// <summary>Scores the answers, adds the likelihood as it stands, and writes the results.</summary>
    static void WriteResults(StageContext context)
    {
        var run = context.Run;
        var workspace = context.Workspace;
        var golds = GoldAnswer.FromDataset(workspace.Dataset);
        var likelihood = ReadLikelihood(run);
        var (report, samples) = RunScores.Score(context, workspace.Task, golds, likelihood);
        foreach (var warning in report.Warnings)
        {
            context.Log.LogWarning("{Warning}", warning);
        }

        var table = ResultsTable.Create(report);
        ResultsFile.WriteJson(table, run.Results);
        ResultsFile.WriteCsv(table, run.ResultsTable);
        ScoresFile.Write(report, golds, run);
        SignificanceFile.Write(report, MethodTests.CreateOptions(context.Recipe), run);
        QueryTable.Write(golds, samples, run);
    }
}

/// <summary>The scores of a run's answers, from its prediction files.</summary>
static class RunScores
{
    /// <summary>
    /// The scores of the run and of each sample of its answers, with the likelihood. One sample is the run: its scores
    /// are held once.
    /// </summary>
    public static (EvaluationReport Report, IReadOnlyList<SampleScores> Samples) Score(
        StageContext context,
        LampTask task,
        IReadOnlyList<GoldAnswer> golds,
        IReadOnlyList<QueryLikelihood> likelihood
    )
    {
        var samples = ScoreSamples(context, task, golds);
        var report = AddLikelihood(Average(samples), likelihood);
        return samples is [var only]
            ? (report, [only with { Report = report }])
            : (report, [.. samples.Select(one => one with { Report = AddLikelihood(one.Report, likelihood) })]);
    }

    /// <summary>Scores every method of the recipe, each sample of its answers by itself.</summary>
    static List<SampleScores> ScoreSamples(StageContext context, LampTask task, IReadOnlyList<GoldAnswer> golds)
    {
        var recipe = context.Recipe;
        var options = recipe.Evaluate.Scoring with { Seed = unchecked((int)recipe.Seed) };
        var samples = new List<SampleScores>();
        for (var sample = 0; sample < recipe.Decode.SampleCount; sample++)
        {
            var predictions = ReadPredictions(context, sample);
            var report = Evaluator.Evaluate(task, golds, predictions, options, context.Cancellation);
            samples.Add(new(predictions, report));
        }

        return samples;
    }

    /// <summary>
    /// The scores of the run: where answers were sampled several times, a query's value is the mean over the samples.
    /// </summary>
    static EvaluationReport Average(List<SampleScores> samples) =>
        samples.Count == 1
            ? samples[0].Report
            : SeedAverage.Compute([.. samples.Select(sample => sample.Report)]).Report;

    /// <summary>
    /// Adds the likelihood of the golds to the methods whose model it was measured under: to each query, and so to
    /// users and means.
    /// </summary>
    static EvaluationReport AddLikelihood(EvaluationReport report, IReadOnlyList<QueryLikelihood> likelihood)
    {
        if (likelihood.Count == 0)
        {
            return report;
        }

        var byQuery = likelihood.ToDictionary(line => line.Query);
        return report with { Methods = [.. report.Methods.Select(method => AddToMethod(method, byQuery))] };
    }

    static MethodScores AddToMethod(MethodScores method, Dictionary<string, QueryLikelihood> likelihood)
    {
        var queries = method.Queries.Select(query => AddToQuery(query, likelihood, method.Method)).ToList();
        var added = ScoreAggregate
            .Means([.. queries.Select(query => query.Values)])
            .Where(mean => !method.Metrics.ContainsKey(mean.Key))
            .ToList();
        if (added.Count == 0)
        {
            return method;
        }

        var queriesByUser = queries.Where(query => query.UserId is not null).ToLookup(query => query.UserId!);
        var users = method.Users.Select(user => AddToUser(user, queriesByUser[user.UserId])).ToList();
        return method with
        {
            Queries = queries,
            Users = users,
            Metrics = Merge(method.Metrics, added),
            OverUsers = ScoreAggregate.Means([.. users.Select(user => user.Values)]),
        };
    }

    static QueryScores AddToQuery(QueryScores query, Dictionary<string, QueryLikelihood> likelihood, string method)
    {
        if (!likelihood.TryGetValue(query.Id, out var line))
        {
            return query;
        }

        var added = new List<KeyValuePair<string, double>>();
        if (line.Nll.TryGetValue(method, out var nll))
        {
            added.Add(new(Metric.GoldNll.Name, nll));
        }

        if (line.RewardRank.TryGetValue(method, out var rank))
        {
            added.Add(new(Metric.RewardRank.Name, rank));
        }

        return query with
        {
            Values = new MetricValues(query.Values.Concat(added)),
        };
    }

    static UserScores AddToUser(UserScores user, IEnumerable<QueryScores> queries)
    {
        var means = ScoreAggregate.Means([.. queries.Select(query => query.Values)]);
        var values = means.Select(mean => KeyValuePair.Create(mean.Key, mean.Value.Mean));
        return user with { Values = new MetricValues(Merge(user.Values, values)) };
    }

    /// <summary>The known values, and those of the others that are not among them.</summary>
    static Dictionary<string, T> Merge<T>(
        IReadOnlyDictionary<string, T> known,
        IEnumerable<KeyValuePair<string, T>> others
    ) => known.Concat(others.Where(pair => !known.ContainsKey(pair.Key))).ToDictionary();

    static OrderedDictionary<string, PredictionFile> ReadPredictions(StageContext context, int sample)
    {
        var predictions = new OrderedDictionary<string, PredictionFile>();
        foreach (var method in context.Recipe.Methods())
        {
            var path = context.Run.PredictionsOfSample(method.Name, sample);
            predictions.Add(method.Name, PredictionFile.Read(path));
        }

        return predictions;
    }
}
