using CoPe.Evaluation;
using CoPe.Evaluation.Report;
using CoPe.Runs.Recipes;

namespace CoPe.Runs.Stages;

/// <summary>Paired tests between the methods of a run.</summary>
static class RunComparisons
{
    /// <summary>Each pair of methods on each metric that both have.</summary>
    public static IEnumerable<SignificanceRow> Of(EvaluationReport scores, IEnumerable<MethodComparison> pairs, IReadOnlyList<(Metric Metric, string Title)> columns, Recipe recipe)
    {
        var options = new PairedTestOptions { Resamples = recipe.Evaluate.Resamples, Seed = unchecked((int)recipe.Seed) };
        var names = recipe.Methods().ToDictionary(method => method.Title, method => method.Name);
        return
            from pair in pairs
            from column in columns
            where column.Metric.Direction != MetricDirection.Neutral
            let method = scores.Of(names[pair.Method])
            let baseline = scores.Of(names[pair.Baseline])
            where Has(method, column.Metric) && Has(baseline, column.Metric)
            select Row(PairedTest.Compare(method, baseline, column.Metric, options), pair, column.Title);
    }

    static bool Has(MethodScores scores, Metric metric) => scores.Queries.Any(query => query.Values.ContainsKey(metric.Name));

    static SignificanceRow Row(PairedComparison compared, MethodComparison pair, string title) => new()
    {
        Method = pair.Method,
        Baseline = pair.Baseline,
        Metric = title,
        Difference = compared.Difference,
        BootstrapP = compared.BootstrapP,
        SignP = compared.SignP,
        UsersHelped = compared.Helped,
        UsersHurt = compared.Hurt,
        UsersEqual = compared.Equal,
    };
}
