using CoPe.Evaluation;
using CoPe.Runs.Recipes;

namespace CoPe.Runs.Stages;

/// <summary>The figures of a run, from its prediction files.</summary>
static class RunScores
{
    /// <summary>Scores every method of the recipe; where answers were sampled several times, a query's value is the mean over its runs.</summary>
    public static EvaluationReport Read(StageContext context, RunWorkspace workspace)
    {
        var runs = context.Recipe.Decode.DoSample ? context.Recipe.Decode.Runs : 1;
        var golds = GoldAnswer.Of(workspace.Dataset);
        var options = new EvaluationOptions { RougeStemmer = context.Recipe.Evaluate.Stemmer, Average = context.Recipe.Evaluate.Average, Seed = unchecked((int)context.Recipe.Seed) };
        var reports = Enumerable.Range(0, runs).Select(run => Evaluator.Evaluate(workspace.Task, golds, Files(context, run), options, context.Cancellation)).ToList();
        return runs == 1 ? reports[0] : SeedAverage.Of(reports).Report;
    }

    /// <summary>Adds the likelihood of the golds to the methods whose model it was measured under: to each query, and so to users and means.</summary>
    public static EvaluationReport With(EvaluationReport report, IReadOnlyList<QueryLikelihood> likelihood)
    {
        var lines = likelihood.ToDictionary(line => line.Query);
        return likelihood.Count == 0 ? report : report with { Methods = [.. report.Methods.Select(method => Add(method, lines))] };
    }

    static MethodScores Add(MethodScores method, Dictionary<string, QueryLikelihood> lines)
    {
        var queries = method.Queries.Select(query => lines.TryGetValue(query.Id, out var line) ? query with { Values = Add(query.Values, line, method.Method) } : query).ToList();
        var added = ScoreAggregate.Means([.. queries.Select(query => query.Values)]).Where(mean => !method.Metrics.ContainsKey(mean.Key)).ToList();
        if (added.Count == 0) return method;
        var ofUsers = queries.Where(query => query.UserId is not null).ToLookup(query => query.UserId!);
        var users = method.Users.Select(user => user with { Values = Join(user.Values, ScoreAggregate.Means([.. ofUsers[user.UserId].Select(query => query.Values)]).Select(mean => KeyValuePair.Create(mean.Key, mean.Value.Mean))) }).ToList();
        return method with { Queries = queries, Users = users, Metrics = Join(method.Metrics, added), OverUsers = ScoreAggregate.Means([.. users.Select(user => user.Values)]) };
    }

    static Dictionary<string, double> Add(IReadOnlyDictionary<string, double> values, QueryLikelihood line, string method)
    {
        var all = values.ToDictionary();
        if (line.Nll.TryGetValue(method, out var nll)) all[Metric.GoldNll.Name] = nll;
        if (line.RewardRank.TryGetValue(method, out var rank)) all[Metric.RewardRank.Name] = rank;
        return all;
    }

    /// <summary>What is known, and what is not known yet.</summary>
    static Dictionary<string, T> Join<T>(IReadOnlyDictionary<string, T> known, IEnumerable<KeyValuePair<string, T>> others) =>
        known.Concat(others.Where(pair => !known.ContainsKey(pair.Key))).ToDictionary();

    static OrderedDictionary<string, PredictionFile> Files(StageContext context, int run) =>
        new(context.Recipe.Methods().Select(method => KeyValuePair.Create(method.Name, PredictionFile.Read(context.Run.PredictionsOfRun(method.Name, run)))));
}
