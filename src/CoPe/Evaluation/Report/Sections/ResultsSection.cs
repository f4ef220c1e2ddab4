using CoPe.Evaluation.Report.Plots;

namespace CoPe.Evaluation.Report.Sections;

/// <summary>The results table and a bar plot per metric.</summary>
internal sealed class ResultsSection : ReportSection
{
    /// <inheritdoc/>
    public override string Id => "results";

    /// <inheritdoc/>
    public override string Title => "Results";

    /// <inheritdoc/>
    public override bool HasData(ReportModel model) => !model.Results.IsEmpty;

    /// <inheritdoc/>
    protected override string Absence => "No method has been evaluated in this run, so there is no results table.";

    /// <inheritdoc/>
    protected override string Lead(ReportModel model) =>
        "Mean ± standard error over queries; the best mean of each column is set in bold. Whether a difference is more than chance is tested below."
        + (model.Comparisons.Count > 0 ? $" The dashed line in each plot marks {model.Comparisons[0].Baseline}." : "");

    /// <inheritdoc/>
    protected override void WriteContent(Markup markup, ReportModel model)
    {
        using (markup.Open("div", ("class", "scroll"), ("tabindex", "0"), ("role", "group"), ("aria-label", "Results table")))
        using (markup.Open("table", ("class", "results")))
        {
            WriteHead(markup, model.Results);
            using (markup.Open("tbody"))
                foreach (var method in model.Results.Methods)
                    WriteRow(markup, model, method);
        }
        markup.Line();
        using (markup.Open("div", ("class", "grid three")))
            foreach (var metric in model.Results.Metrics)
                if (model.Results.Best(metric) is not null)
                    WriteFigure(markup, metric.Name, metric.LowerIsBetter ? "lower is better" : "", () => MethodBarsPlot.Write(markup, model, metric));
    }

    private static void WriteHead(Markup markup, ResultsTable table)
    {
        using (markup.Open("thead"))
        using (markup.Open("tr"))
        {
            markup.Element("th", "Method", ("scope", "col"));
            foreach (var metric in table.Metrics)
                markup.Element("th", metric.Name + (metric.LowerIsBetter ? " ↓" : ""), ("scope", "col"));
            markup.Element("th", "n", ("scope", "col"));
        }
    }

    private static void WriteRow(Markup markup, ReportModel model, string method)
    {
        var headline = model.Comparisons.Count > 0 && model.Comparisons[0].Method == method;
        using (markup.Open("tr", ("class", headline ? "headline" : "plain")))
        {
            markup.Element("th", method, ("scope", "row"));
            foreach (var metric in model.Results.Metrics)
                WriteCell(markup, model.Results.Find(method, metric.Name), model.Results.Best(metric));
            var counts = model.Results.Cells.Where(cell => cell.Method == method).Select(cell => cell.Count).Distinct().Order().ToList();
            markup.Element("td", counts.Count == 0 ? Figures.None : string.Join("–", counts.Select(count => Figures.Count(count))), ("class", "n"));
        }
    }

    private static void WriteCell(Markup markup, ResultCell? cell, double? best)
    {
        using (markup.Open("td"))
        {
            if (cell is null || !double.IsFinite(cell.Mean))
            {
                markup.Text(Figures.None);
                return;
            }
            var isBest = best is { } value && Math.Abs(cell.Mean - value) < 1e-12;
            markup.Element(isBest ? "strong" : "span", Figures.Value(cell.Mean));
            if (double.IsFinite(cell.StandardError) && cell.StandardError > 0)
                markup.Element("small", " ± " + Figures.Value(cell.StandardError));
        }
    }
}
