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

    /// <summary>Adds the likelihood of the golds to the methods whose model it was measured under.</summary>
    public static EvaluationReport With(EvaluationReport report, IReadOnlyList<QueryLikelihood> likelihood) => likelihood.Count == 0 ? report : report with
    {
        Methods = [.. report.Methods.Select(method => method with { Metrics = Add(method, likelihood) })],
    };

    static Dictionary<string, MeanWithError> Add(MethodScores method, IReadOnlyList<QueryLikelihood> likelihood)
    {
        var metrics = method.Metrics.ToDictionary();
        var nll = likelihood.Where(query => query.Nll.ContainsKey(method.Method)).Select(query => query.Nll[method.Method]).ToList();
        var ranks = likelihood.Where(query => query.RewardRank.ContainsKey(method.Method)).Select(query => query.RewardRank[method.Method]).ToList();
        if (nll.Count > 0) metrics[Metric.GoldNll.Name] = MeanWithError.Of(nll);
        if (ranks.Count > 0) metrics[Metric.RewardRank.Name] = MeanWithError.Of(ranks);
        return metrics;
    }

    static Dictionary<string, PredictionFile> Files(StageContext context, int run) =>
        context.Recipe.Methods().ToDictionary(method => method.Name, method => PredictionFile.Read(context.Run.PredictionsOfRun(method.Name, run)));
}
