using CoPe.Evaluation;
using CoPe.Runs.Recipes;

namespace CoPe.Runs.Stages;

/// <summary>The figures of a run, from its prediction files.</summary>
static class RunScores
{
    /// <summary>Scores every method of the recipe; where answers were sampled several times, each run of a query counts as one of its values.</summary>
    public static EvaluationReport Read(StageContext context, RunWorkspace workspace)
    {
        var runs = context.Recipe.Decode.DoSample ? context.Recipe.Decode.Runs : 1;
        var golds = GoldAnswer.Of(workspace.Dataset);
        var options = new EvaluationOptions { RougeStemmer = context.Recipe.Evaluate.Stemmer };
        if (runs == 1) return Evaluator.Evaluate(workspace.Task, golds, Files(context, 0), options, context.Cancellation);
        var many = Enumerable.Range(0, runs).SelectMany(run => golds.Select(gold => gold with { Id = $"{gold.Id} run {run + 1}" })).ToList();
        var files = Enumerable.Range(0, runs).Select(run => Files(context, run)).ToList();
        var together = context.Recipe.Methods().ToDictionary(method => method.Name, method => files[0][method.Name] with
        {
            Predictions = [.. files.SelectMany((file, run) => file[method.Name].Predictions.Select(prediction => prediction with { Id = $"{prediction.Id} run {run + 1}" }))],
        });
        return Evaluator.Evaluate(workspace.Task, many, together, options, context.Cancellation);
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
