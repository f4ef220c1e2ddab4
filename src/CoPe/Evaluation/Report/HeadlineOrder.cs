namespace CoPe.Evaluation.Report;

/// <summary>The metrics of a report with the headline's one first.</summary>
internal static class HeadlineOrder
{
    /// <summary>The metrics of the table; <see cref="ReportModel.HeadlineMetric"/> first where it is given.</summary>
    /// <exception cref="ArgumentException">The table has metrics, but not the headline's one.</exception>
    public static IReadOnlyList<MetricColumn> Of(ReportModel model)
    {
        var metrics = model.Results.Metrics;
        if (model.HeadlineMetric is not { } name || metrics.Count == 0)
            return metrics;
        if (metrics.All(metric => metric.Name != name))
            throw new ArgumentException(
                $"The headline metric '{name}' is not in the results table; expected one of {string.Join(", ", metrics.Select(metric => metric.Name))}.", nameof(model));
        return [.. metrics.OrderBy(metric => metric.Name == name ? 0 : 1)];
    }
}
