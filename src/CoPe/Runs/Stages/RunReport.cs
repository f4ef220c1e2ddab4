using CoPe.Data;
using CoPe.Evaluation;
using CoPe.Evaluation.Report;
using CoPe.Runs.Recipes;
using CoPe.Runs.Results;

namespace CoPe.Runs.Stages;

/// <summary>Gathers what a run has written into what its report shows.</summary>
/// <param name="context">The stage at work.</param>
/// <param name="workspace">Data and model.</param>
sealed class RunReport(StageContext context, RunWorkspace workspace)
{
    readonly Recipe recipe = context.Recipe;

    /// <summary>The report's content.</summary>
    public ReportModel Build()
    {
        var likelihood = JsonLines.Read<QueryLikelihood>(context.Run.Likelihood);
        var scores = RunScores.With(RunScores.Read(context, workspace), likelihood);
        var methods = recipe.Methods().ToList();
        return new ReportModel
        {
            Title = $"{workspace.Task.Name.Replace('_', ' ')} with {Path.GetFileName(Path.TrimEndingDirectorySeparator(recipe.Model))}",
            RunName = Path.GetFileName(context.Run.Root),
            RecipeYaml = recipe.ToYaml(),
            Facts = RunFacts.Of(context, workspace),
            StageTimes = [.. RunFacts.Times(context)],
            Results = ReportFigures.Table(scores),
            Comparisons = ReportFigures.Comparisons(scores),
            Significance = MethodTests.Rows(scores, recipe),
            UserScores = [.. ReportFigures.OfUsers(scores)],
            HistoryLengths = workspace.Dataset.Users.ToDictionary(user => user.Id, user => user.Profile.Count),
            Curves = [.. RunCurves.Of(context)],
            Rewards = [.. Rewards()],
            GoldLikelihoods = [.. Likelihoods(likelihood)],
            TokenTraces = RunTraces.Of(context, workspace),
            Examples = [.. Examples(scores, methods)],
        };
    }

    IEnumerable<RewardPair> Rewards() =>
        from pair in JsonLines.Read<SelectedPair>(context.Run.Pairs)
        where pair is { ChosenReward: not null, RejectedReward: not null }
        select new RewardPair(pair.ChosenReward!.Value, pair.RejectedReward!.Value);

    static IEnumerable<GoldLikelihood> Likelihoods(IReadOnlyList<QueryLikelihood> likelihood)
    {
        if (likelihood.Count == 0) yield break;
        foreach (var model in likelihood[0].Nll.Keys)
        {
            var mean = MeanWithError.Of([.. likelihood.Select(query => query.Nll[model])]);
            yield return new GoldLikelihood { Adapter = PredictionMethod.Of(model).Title, NegativeLogLikelihood = mean.Mean, StandardError = mean.StandardError, Count = mean.Count };
        }
    }

    IEnumerable<ReportExample> Examples(EvaluationReport scores, IReadOnlyList<PredictionMethod> methods)
    {
        var texts = methods.ToDictionary(method => method.Name, method => PredictionFile.Read(context.Run.Predictions(method.Name)).Predictions.ToDictionary(prediction => prediction.Id, prediction => prediction.Output));
        var rouge = methods.ToDictionary(method => method.Name, method => scores.Of(method.Name).Queries.ToDictionary(query => query.Id, query => query.Values));
        var headline = ReportFigures.Columns(scores)[0].Name;
        foreach (var user in workspace.Dataset.Users)
            foreach (var query in user.Queries)
                yield return new ReportExample { User = user.Id, Query = query.Id, Input = query.Input, Gold = query.Gold, Outputs = [.. methods.Select(method => Output(method, query))] };

        ExampleOutput Output(PredictionMethod method, LampQuery query) => new()
        {
            Method = method.Title,
            Text = texts[method.Name].GetValueOrDefault(query.Id, ""),
            Score = rouge[method.Name].TryGetValue(query.Id, out var values) && values.TryGetValue(headline, out var score) ? score : null,
        };
    }
}
