using System.Globalization;
using System.Text;
using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Report.Plots;

namespace CoPe.Experiments.Report.Sections;

/// <summary>The results table and a bar plot per metric.</summary>
sealed class ResultsSection : ReportSection
{
    /// <summary>Most columns with mean and error side by side; more have them one above the other.</summary>
    const int FewColumns = 5;

    public override string Id => "results";

    public override string Title => "Results";

    public override bool HasData(ReportModel model) => !model.Results.IsEmpty;

    protected override string EmptyMessage => "No method has been evaluated in this run, so there is no results table.";

    protected override string Lead(ReportModel model)
    {
        var lead = new StringBuilder("Mean ± standard error over queries");
        if (model.Results.Cells.Any(cell => cell.SeedDeviation is not null))
        {
            lead.Append(" of the values averaged over the seeds, and sd, the standard deviation of the seeds' means");
        }

        lead.Append("; the best mean of each column is set in bold.");
        if (model.Results.Metrics.Any(metric => metric.LowerIsBetter))
        {
            lead.Append(" An arrow (↓) means that lower is better.");
        }

        if (model.Results.Metrics.Any(metric => metric.IsDescriptive))
        {
            lead.Append(" Columns that only describe the texts have no best.");
        }

        if (model.Comparisons.Count > 0)
        {
            lead.Append(
                CultureInfo.InvariantCulture,
                $" The dashed line in each plot marks {model.Comparisons[0].Baseline}."
            );
        }

        return lead.ToString();
    }

    protected override void WriteContent(Markup markup, ReportModel model)
    {
        WideTable.Write(
            markup,
            "Results table",
            model.Results.Metrics.Count > FewColumns ? "results many" : "results",
            () => WriteHead(markup, model.Results),
            () =>
            {
                foreach (var method in model.Results.Methods)
                {
                    WriteRow(markup, model, method);
                }
            }
        );
        if (model.Results.Metrics.Any(metric => metric.Description.Length > 0))
        {
            WriteMeanings(markup, model.Results);
        }

        if (model.Results.Cells.Any(cell => cell.OverUsers is not null))
        {
            WriteOverUsers(markup, model.Results);
        }

        using (markup.Open("div", ("class", "grid three")))
        {
            foreach (var metric in model.Results.Metrics)
            {
                if (model.Results.Cells.Any(cell => cell.Metric == metric.Name && double.IsFinite(cell.Mean)))
                {
                    WriteFigure(markup, metric.Name, Note(metric), () => MethodBarsPlot.Write(markup, model, metric));
                }
            }
        }
    }

    static string Note(MetricColumn metric) =>
        metric.IsDescriptive ? "describes, neither way is better"
        : metric.LowerIsBetter ? "lower is better"
        : "";

    static void WriteMeanings(Markup markup, ResultsTable table)
    {
        using (markup.Open("details", ("class", "meanings")))
        {
            markup.Element("summary", "What the columns mean");
            using (markup.Open("dl"))
            {
                foreach (var metric in table.Metrics.Where(metric => metric.Description.Length > 0))
                {
                    markup.Element("dt", metric.Name).Element("dd", metric.Description);
                }
            }
        }
    }

    static void WriteOverUsers(Markup markup, ResultsTable table)
    {
        using (markup.Open("details", ("class", "meanings")))
        {
            markup.Element("summary", "The same over users, each user one value");
            WideTable.Write(
                markup,
                "Results over users",
                "results many",
                () => WriteHead(markup, table),
                () =>
                {
                    foreach (var method in table.Methods)
                    {
                        WriteRowOverUsers(markup, table, method);
                    }
                }
            );
        }
    }

    static void WriteRowOverUsers(Markup markup, ResultsTable table, string method)
    {
        var values = table.Metrics.Select(metric => table.Find(method, metric.Name)?.OverUsers).ToList();
        using (markup.Open("tr"))
        {
            markup.Element("th", method, ("scope", "row"));
            foreach (var value in values)
            {
                using (markup.Open("td"))
                {
                    markup.Text(value is null ? NumberFormat.Missing : NumberFormat.Value(value.Mean));
                    if (value is { Count: > 1 })
                    {
                        markup.Element("small", " ± " + NumberFormat.Value(value.StandardError));
                    }
                }
            }

            markup.Element(
                "td",
                string.Join(
                    "–",
                    values
                        .OfType<MeanWithError>()
                        .Select(value => value.Count)
                        .Distinct()
                        .Order()
                        .Select(count => NumberFormat.Count(count))
                ),
                ("class", "n")
            );
        }
    }

    static void WriteHead(Markup markup, ResultsTable table)
    {
        markup.Element("th", "Method", ("scope", "col"));
        foreach (var metric in table.Metrics)
        {
            markup.Element(
                "th",
                metric.Name + (metric.LowerIsBetter && !metric.IsDescriptive ? " ↓" : ""),
                ("scope", "col"),
                ("title", metric.Description)
            );
        }

        markup.Element("th", "n", ("scope", "col"));
    }

    static void WriteRow(Markup markup, ReportModel model, string method)
    {
        var headline = model.Comparisons.Count > 0 && model.Comparisons[0].Method == method;
        using (markup.Open("tr", ("class", headline ? "headline" : "plain")))
        {
            markup.Element("th", method, ("scope", "row"));
            foreach (var metric in model.Results.Metrics)
            {
                WriteCell(markup, model.Results.Find(method, metric.Name), model.Results.Best(metric));
            }

            var counts = model
                .Results.Cells.Where(cell => cell.Method == method)
                .Select(cell => cell.Count)
                .Distinct()
                .Order()
                .ToList();
            markup.Element(
                "td",
                counts.Count == 0
                    ? NumberFormat.Missing
                    : string.Join("–", counts.Select(count => NumberFormat.Count(count))),
                ("class", "n")
            );
        }
    }

    static void WriteCell(Markup markup, ResultCell? cell, double? best)
    {
        using (markup.Open("td"))
        {
            if (cell is null || !double.IsFinite(cell.Mean))
            {
                markup.Text(NumberFormat.Missing);
                return;
            }

            var isBest = best is { } value && Math.Abs(cell.Mean - value) < 1e-12;
            markup.Element(isBest ? "strong" : "span", NumberFormat.Value(cell.Mean));
            if (double.IsFinite(cell.StandardError) && cell.Count > 1)
            {
                markup.Element("small", " ± " + NumberFormat.Value(cell.StandardError));
            }

            if (cell.SeedDeviation is { } deviation)
            {
                markup.Element("small", " sd " + NumberFormat.Value(deviation));
            }
        }
    }
}
