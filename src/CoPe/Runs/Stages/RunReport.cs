using CoPe.Data;
using CoPe.Evaluation;
using CoPe.Evaluation.Report;
using CoPe.Runs.Recipes;

namespace CoPe.Runs.Stages;

/// <summary>Gathers what a run has written into what its report shows.</summary>
/// <param name="context">The stage at work.</param>
/// <param name="workspace">Data and model.</param>
sealed class RunReport(StageContext context, RunWorkspace workspace)
{
    /// <summary>Columns of the table, the one the report puts first leading.</summary>
    static readonly (Metric Metric, string Title)[] Columns =
    [
        (Metric.RougeL, "ROUGE-L"), (Metric.Rouge1, "ROUGE-1"), (Metric.Meteor, "METEOR"), (Metric.Accuracy, "accuracy"), (Metric.MacroF1, "macro F1"), (Metric.Mae, "MAE"),
        (Metric.Rmse, "RMSE"), (Metric.StyleDistance, "style distance"), (Metric.LengthRatio, "length ratio"), (Metric.CopyRate, "copy rate"),
    ];

    readonly Recipe recipe = context.Recipe;

    /// <summary>The report's content.</summary>
    public ReportModel Build()
    {
        var likelihood = JsonLines.Read<QueryLikelihood>(context.Run.Likelihood);
        var scores = RunScores.Read(context, workspace);
        var columns = Columns.Where(column => scores.Methods.Any(method => method.Metrics.ContainsKey(column.Metric.Name))).ToList();
        var methods = recipe.Methods().ToList();
        return new ReportModel
        {
            Title = $"{workspace.Task.Name.Replace('_', ' ')} with {Path.GetFileName(Path.TrimEndingDirectorySeparator(recipe.Model))}",
            RunName = Path.GetFileName(context.Run.Root),
            RecipeYaml = recipe.ToYaml(),
            Facts = RunFacts.Of(context, workspace),
            StageTimes = [.. RunFacts.Times(context)],
            Results = Table(scores, columns, methods),
            Comparisons = Comparisons(methods),
            Significance = [.. RunComparisons.Of(scores, Comparisons(methods), columns, recipe)],
            UserScores = [.. UserScores(scores, columns, methods)],
            HistoryLengths = workspace.Dataset.Users.ToDictionary(user => user.Id, user => user.Profile.Count),
            Curves = [.. RunCurves.Of(context)],
            Rewards = [.. Rewards()],
            GoldLikelihoods = [.. Likelihoods(likelihood)],
            TokenTraces = RunTraces.Of(context, workspace),
            Examples = [.. Examples(scores, methods)],
        };
    }

    static ResultsTable Table(EvaluationReport scores, IReadOnlyList<(Metric Metric, string Title)> columns, IReadOnlyList<PredictionMethod> methods) => new()
    {
        Methods = [.. methods.Select(method => method.Title)],
        Metrics = [.. columns.Select(column => Column(column.Metric, column.Title))],
        Cells =
        [
            .. from method in methods
               from column in columns
               let found = scores.Of(method.Name).Metrics.GetValueOrDefault(column.Metric.Name)
               where found is not null
               select new ResultCell { Method = method.Title, Metric = column.Title, Mean = found.Mean, StandardError = found.StandardError, Count = found.Count },
        ],
    };

    static MetricColumn Column(Metric metric, string title) => new()
    {
        Name = title,
        LowerIsBetter = metric.Direction == MetricDirection.Lower,
        Descriptive = metric.Direction == MetricDirection.Neutral,
        Meaning = metric.Meaning,
    };

    static List<MethodComparison> Comparisons(IReadOnlyList<PredictionMethod> methods)
    {
        (string Name, string Against)[] wanted =
        [
            ("cope", "tam"), ("cope", "rag"), ("cope", "recent"), ("cope", "pag"), ("cope", "tam-all"), ("cope", "sft"), ("cope", "cope-sft"),
            ("sft", "tam"), ("sft", "tam-all"), ("dpo", "sft"), ("sft+cd", "sft"), ("tam", "base"), ("rag", "base"),
        ];
        return
        [
            .. from pair in wanted
               where methods.Any(method => method.Name == pair.Name) && methods.Any(method => method.Name == pair.Against)
               select new MethodComparison { Method = PredictionMethod.Of(pair.Name).Title, Baseline = PredictionMethod.Of(pair.Against).Title },
        ];
    }

    static IEnumerable<UserScore> UserScores(EvaluationReport scores, IReadOnlyList<(Metric Metric, string Title)> columns, IReadOnlyList<PredictionMethod> methods) =>
        from method in methods
        from user in scores.Of(method.Name).Users
        from column in columns
        where user.Values.ContainsKey(column.Metric.Name)
        select new UserScore { User = user.UserId, Method = method.Title, Metric = column.Title, Value = user.Values[column.Metric.Name] };

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
            yield return new GoldLikelihood { Adapter = model == "base" ? model : model.ToUpperInvariant(), NegativeLogLikelihood = mean.Mean, StandardError = mean.StandardError, Count = mean.Count };
        }
    }

    IEnumerable<ReportExample> Examples(EvaluationReport scores, IReadOnlyList<PredictionMethod> methods)
    {
        var texts = methods.ToDictionary(method => method.Name, method => PredictionFile.Read(context.Run.Predictions(method.Name)).Predictions.ToDictionary(prediction => prediction.Id, prediction => prediction.Output));
        var rouge = methods.ToDictionary(method => method.Name, method => scores.Of(method.Name).Queries.ToDictionary(query => query.Id, query => query.Values));
        foreach (var user in workspace.Dataset.Users)
            foreach (var query in user.Queries)
                yield return new ReportExample { User = user.Id, Query = query.Id, Input = query.Input, Gold = query.Gold, Outputs = [.. methods.Select(method => Output(method, query))] };

        ExampleOutput Output(PredictionMethod method, LampQuery query) => new()
        {
            Method = method.Title,
            Text = texts[method.Name].GetValueOrDefault(query.Id, ""),
            Score = rouge[method.Name].TryGetValue(query.Id, out var values) && values.TryGetValue(Columns[0].Metric.Name, out var score) ? score : null,
        };
    }
}
