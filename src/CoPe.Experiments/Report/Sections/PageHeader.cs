using CoPe.Experiments.Evaluation;

namespace CoPe.Experiments.Report.Sections;

/// <summary>Title, run, and the answer to the first question: did personalization help, and how sure is that?</summary>
static class PageHeader
{
    const double Level = 0.05;
    const int MaxTiles = 3;

    /// <summary>
    /// Writes the head of the page with a tile for each of the first comparisons in the headline's metric.
    /// </summary>
    public static void Write(Markup markup, ReportModel model)
    {
        using (markup.Open("header"))
        {
            using (markup.Open("p", ("class", "kicker")))
            {
                markup.Text("Personalized decoding · CoPe");
            }

            markup.Element("h1", model.Title, ("dir", "auto"));
            if (model.RunName.Length > 0)
            {
                markup.Element("p", model.RunName, ("class", "run"), ("dir", "auto"));
            }

            if (model.Results.Metrics.Count > 0 && model.Comparisons.Count > 0)
            {
                using (markup.Open("div", ("class", "tiles")))
                {
                    foreach (var comparison in model.Comparisons.Take(MaxTiles))
                    {
                        WriteTile(markup, model, comparison, HeadlineOrder.Metrics(model)[0]);
                    }
                }
            }
        }

        markup.Line();
    }

    static void WriteTile(Markup markup, ReportModel model, MethodComparison comparison, MetricColumn metric)
    {
        var method = model.Results.Find(comparison.Method, metric.Name);
        var baseline = model.Results.Find(comparison.Baseline, metric.Name);
        if (method is null || baseline is null)
        {
            return;
        }

        var difference = method.Mean - baseline.Mean;
        var test = model.Significance.FirstOrDefault(row =>
            row.Method == comparison.Method && row.Baseline == comparison.Baseline && row.Metric == metric.Name
        );
        var verdict = Verdict(metric.LowerIsBetter ? -difference : difference, test);
        using (markup.Open("div", ("class", "tile " + verdict.Style)))
        {
            using (markup.Open("p", ("class", "tile-h")))
            {
                markup
                    .Element("strong", comparison.Method)
                    .Text(" against ")
                    .Element("strong", comparison.Baseline)
                    .Text($" · {metric.Name}");
            }

            using (markup.Open("p", ("class", "tile-n")))
            {
                markup.Element("b", NumberFormat.Signed(difference));
                if (baseline.Mean != 0)
                {
                    markup.Text(" ").Element("span", NumberFormat.Percent(difference, baseline.Mean));
                }
            }

            markup.Element(
                "p",
                $"{NumberFormat.Value(baseline.Mean)} → {NumberFormat.Value(method.Mean)}{verdict.Text}",
                ("class", "tile-s")
            );
            var gains = UserGains.Compute(model, comparison, metric);
            if (gains.Sorted.Count > 0)
            {
                HelpedHurtBar.Write(markup, gains.Helped, gains.Hurt, gains.Equal);
            }
            else if (test is not null)
            {
                HelpedHurtBar.Write(markup, test.UsersHelped, test.UsersHurt, test.UsersEqual);
            }
        }
    }

    static (string Style, string Text) Verdict(double gain, SignificanceRow? test)
    {
        if (test is null || !double.IsFinite(test.BootstrapP))
        {
            return ("open", "");
        }

        var p = test.BootstrapP < 0.001 ? "p < 0.001" : "p = " + NumberFormat.PValue(test.BootstrapP);
        if (test.BootstrapP >= Level || gain == 0)
        {
            return ("open", $" · no clear difference, {p}");
        }

        return gain > 0 ? ("better", $" · better, {p}") : ("worse", $" · worse, {p}");
    }
}
