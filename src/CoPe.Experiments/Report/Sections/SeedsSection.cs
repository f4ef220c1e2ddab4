using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Report.Plots;

namespace CoPe.Experiments.Report.Sections;

/// <summary>Every seed's own means: a dot each beside their average, and the same numbers as a table.</summary>
static class SeedsSection
{
    /// <summary>Writes the headline's metric, and the others on demand.</summary>
    public static void Write(Markup markup, SeedsModel model)
    {
        var metrics = HeadlineOrder.Metrics(model.Average);
        using (markup.Open("section", ("id", "seeds"), ("aria-labelledby", "seeds-h")))
        {
            markup.Element("h2", "Seed by seed", ("id", "seeds-h"));
            markup.Element(
                "p",
                "Each dot is the mean of one seed, the line the average of all; sd is the standard deviation "
                    + "of the dots (n − 1): how far the seed alone moves a figure.",
                ("class", "lead")
            );
            using (markup.Open("div", ("class", "grid three")))
            {
                foreach (var metric in metrics.Where(metric => IsMeasured(model, metric)))
                {
                    ReportSection.WriteFigure(
                        markup,
                        metric.Name,
                        metric.LowerIsBetter ? "lower is better" : "",
                        () => SeedDotsPlot.Write(markup, model, metric)
                    );
                }
            }

            WriteTable(markup, model, metrics[0]);
            if (metrics.Count > 1)
            {
                using (markup.Open("details"))
                {
                    markup.Element("summary", $"The same in {NumberFormat.Count(metrics.Count - 1, "more metric")}");
                    foreach (var metric in metrics.Skip(1))
                    {
                        WriteTable(markup, model, metric);
                    }
                }
            }
        }

        markup.Line();
    }

    static bool IsMeasured(SeedsModel model, MetricColumn metric) =>
        model.Seeds.Any(seed => seed.Results.Cells.Any(cell => cell.Metric == metric.Name));

    static void WriteTable(Markup markup, SeedsModel model, MetricColumn metric)
    {
        markup.Element("h3", $"{metric.Name} by seed");
        WideTable.Write(
            markup,
            $"{metric.Name} by seed",
            "results many",
            ["Method", .. model.Seeds.Select(seed => $"seed {seed.Seed}"), "average", "sd"],
            () =>
            {
                foreach (var method in model.Average.Results.Methods)
                {
                    WriteRow(markup, model, method, metric);
                }
            }
        );
    }

    static void WriteRow(Markup markup, SeedsModel model, string method, MetricColumn metric)
    {
        var average = model.Average.Results.Find(method, metric.Name);
        using (markup.Open("tr"))
        {
            markup.Element("th", method, ("scope", "row"));
            foreach (var seed in model.Seeds)
            {
                markup.Element("td", NumberFormat.Value(seed.Results.Find(method, metric.Name)?.Mean ?? double.NaN));
            }

            markup
                .Element("td", NumberFormat.Value(average?.Mean ?? double.NaN))
                .Element("td", NumberFormat.Value(average?.SeedDeviation ?? double.NaN));
        }
    }
}
