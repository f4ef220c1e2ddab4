using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Runs.Results;
using Microsoft.Extensions.Logging;

namespace CoPe.Experiments.Runs.Stages;

/// <summary>
/// Stage 6: predictions against the users' own answers, and how likely these answers are to each model.
/// </summary>
sealed class EvaluateStage : Stage
{
    /// <inheritdoc/>
    public override string Name => "evaluate";

    /// <inheritdoc/>
    public override IReadOnlyList<string> RecipeKeys =>
        [
            "task",
            "seed",
            "users",
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

    /// <inheritdoc/>
    public override IEnumerable<string> Needs(Recipe recipe)
    {
        var methods = recipe.Methods().ToList();
        foreach (var method in methods)
        {
            yield return $"predict {method.Name}";
        }

        if (!recipe.Evaluate.Likelihood)
        {
            yield break;
        }

        if (methods.Any(method => method.NeedsTam(recipe)))
        {
            yield return "train tam";
        }

        if (methods.Any(method => method.TaskAdapter == TaskAdapterKind.Everyone))
        {
            yield return "train tam-all";
        }

        if (methods.Any(method => method.Context == ContextKind.Profile))
        {
            yield return "profile";
        }

        if (methods.Any(method => method.UserAdapter != UserAdapterKind.None))
        {
            yield return "train sft";
        }

        if (methods.Any(method => method.UserAdapter == UserAdapterKind.Dpo))
        {
            yield return "train dpo";
        }
    }

    /// <inheritdoc/>
    public override IEnumerable<StageOutput> Outputs(RunDirectory run) =>
        [
            new UserFigures(run.Results),
            new UserFigures(run.ResultsTable),
            new UserFigures(run.Significance),
            new UserFigures(run.SignificanceTable),
            new UserFigures(run.UserResultsTable),
            new UserLines(run.Likelihood),
        ];

    /// <inheritdoc/>
    public override InputKinds RebuildReads => InputKinds.Data | InputKinds.Task;

    /// <inheritdoc/>
    public override void RebuildWithoutUser(StageContext context) => WriteResults(context);

    /// <inheritdoc/>
    public override void Execute(StageContext context)
    {
        var workspace = new RunWorkspace(context);
        var likelihood = context.Recipe.Evaluate.Likelihood ? new HeldOutLikelihood(context, workspace).Measure() : [];
        JsonLines.Write(context.Run.Likelihood, likelihood);
        WriteResults(context);
    }

    /// <summary>Writes the results from the answers and the likelihood as they stand.</summary>
    static void WriteResults(StageContext context)
    {
        var report = RunScores.AddLikelihood(
            RunScores.Read(context, new RunWorkspace(context)),
            JsonLines.Read<QueryLikelihood>(context.Run.Likelihood)
        );
        foreach (var warning in report.Warnings)
        {
            context.Log.LogWarning("{Warning}", warning);
        }

        ResultsFile.WriteJson(report, context.Run.Results);
        ResultsFile.WriteCsv(report, context.Run.ResultsTable);
        SignificanceFile.Write(report, MethodTests.CreateOptions(context.Recipe), context.Run);
    }
}

/// <summary>The figures of a run, from its prediction files.</summary>
static class RunScores
{
    /// <summary>
    /// Scores every method of the recipe; where answers were sampled several times, a query's value is the mean over
    /// its runs.
    /// </summary>
    public static EvaluationReport Read(StageContext context, RunWorkspace workspace)
    {
        var runs = context.Recipe.Decode.DoSample ? context.Recipe.Decode.Runs : 1;
        var golds = GoldAnswer.FromDataset(workspace.Dataset);
        var options = new EvaluationOptions
        {
            RougeStemmer = context.Recipe.Evaluate.Stemmer,
            Average = context.Recipe.Evaluate.Average,
            Seed = unchecked((int)context.Recipe.Seed),
        };
        var reports = Enumerable
            .Range(0, runs)
            .Select(run =>
                Evaluator.Evaluate(workspace.Task, golds, ReadPredictions(context, run), options, context.Cancellation)
            )
            .ToList();
        return runs == 1 ? reports[0] : SeedAverage.Compute(reports).Report;
    }

    /// <summary>
    /// Adds the likelihood of the golds to the methods whose model it was measured under: to each query, and so to
    /// users and means.
    /// </summary>
    public static EvaluationReport AddLikelihood(EvaluationReport report, IReadOnlyList<QueryLikelihood> likelihood)
    {
        var lines = likelihood.ToDictionary(line => line.Query);
        return likelihood.Count == 0
            ? report
            : report with
            {
                Methods = [.. report.Methods.Select(method => AddToMethod(method, lines))],
            };
    }

    static MethodScores AddToMethod(MethodScores method, Dictionary<string, QueryLikelihood> lines)
    {
        var queries = method
            .Queries.Select(query =>
                lines.TryGetValue(query.Id, out var line)
                    ? query with
                    {
                        Values = Add(query.Values, line, method.Method),
                    }
                    : query
            )
            .ToList();
        var added = ScoreAggregate
            .Means([.. queries.Select(query => query.Values)])
            .Where(mean => !method.Metrics.ContainsKey(mean.Key))
            .ToList();
        if (added.Count == 0)
        {
            return method;
        }

        var ofUsers = queries.Where(query => query.UserId is not null).ToLookup(query => query.UserId!);
        var users = method
            .Users.Select(user =>
                user with
                {
                    Values = Merge(
                        user.Values,
                        ScoreAggregate
                            .Means([.. ofUsers[user.UserId].Select(query => query.Values)])
                            .Select(mean => KeyValuePair.Create(mean.Key, mean.Value.Mean))
                    ),
                }
            )
            .ToList();
        return method with
        {
            Queries = queries,
            Users = users,
            Metrics = Merge(method.Metrics, added),
            OverUsers = ScoreAggregate.Means([.. users.Select(user => user.Values)]),
        };
    }

    static Dictionary<string, double> Add(
        IReadOnlyDictionary<string, double> values,
        QueryLikelihood line,
        string method
    )
    {
        var all = values.ToDictionary();
        if (line.Nll.TryGetValue(method, out var nll))
        {
            all[Metric.GoldNll.Name] = nll;
        }

        if (line.RewardRank.TryGetValue(method, out var rank))
        {
            all[Metric.RewardRank.Name] = rank;
        }

        return all;
    }

    /// <summary>What is known, and what is not known yet.</summary>
    static Dictionary<string, T> Merge<T>(
        IReadOnlyDictionary<string, T> known,
        IEnumerable<KeyValuePair<string, T>> others
    ) => known.Concat(others.Where(pair => !known.ContainsKey(pair.Key))).ToDictionary();

    static OrderedDictionary<string, PredictionFile> ReadPredictions(StageContext context, int run) =>
        new(
            context
                .Recipe.Methods()
                .Select(method =>
                    KeyValuePair.Create(
                        method.Name,
                        PredictionFile.Read(context.Run.PredictionsOfSample(method.Name, run))
                    )
                )
        );
}
