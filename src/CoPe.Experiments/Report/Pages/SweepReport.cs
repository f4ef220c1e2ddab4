using System.Globalization;
using CoPe.Experiments.Report.Plots;
using CoPe.Experiments.Report.Sections;

namespace CoPe.Experiments.Report.Pages;

/// <summary>
/// The page of a sweep: a curve per metric and method over the values of each key, the same numbers as a table, and the
/// recipe that was chosen.
/// </summary>
static class SweepReport
{
    /// <summary>Writes the page. The same model gives the same bytes on every system; every text is escaped.</summary>
    public static void Write(SweepModel model, TextWriter writer)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(writer);
        HtmlPage.Write(
            writer,
            $"{model.Title} · sweep",
            markup =>
            {
                using (markup.Open("header"))
                {
                    markup.Element("p", "Personalized decoding · CoPe", ("class", "kicker"));
                    markup.Element("h1", model.Title, ("dir", "auto"));
                    markup.Element("p", model.Lead, ("class", "lead"));
                }
                markup.Line();
                using (markup.Open("main"))
                {
                    foreach (var key in model.Keys)
                    {
                        WriteKey(markup, key);
                    }

                    if (model.RecipeYaml.Length > 0)
                    {
                        WriteRecipe(markup, model.RecipeYaml);
                    }
                }
            }
        );
    }

    static void WriteKey(Markup markup, SweepKey key)
    {
        using (markup.Open("section"))
        {
            markup.Element("h2", key.Key);
            markup.Element("p", key.ChoiceExplanation, ("class", "lead"));
            if (key.UnaffectedMethods.Count > 0)
            {
                markup.Element(
                    "p",
                    $"The same at every value, and not drawn: {string.Join(", ", key.UnaffectedMethods)}.",
                    ("class", "absent")
                );
            }

            ReportSection.WriteLegend(
                markup,
                SweepPlot
                    .Drawn(key, key.Panels[0])
                    .Select(one => (one.Series.Method, PlotCanvas.SeriesStyle(one.Index)))
            );
            using (markup.Open("div", ("class", "grid three")))
            {
                foreach (var panel in key.Panels)
                {
                    ReportSection.WriteFigure(
                        markup,
                        panel.Metric.Name,
                        panel.Metric.LowerIsBetter ? "lower is better" : "",
                        () => SweepPlot.Write(markup, key, panel)
                    );
                }
            }

            WriteTable(markup, key, key.Panels[0]);
            if (key.Gains.Count > 0)
            {
                WriteGains(markup, key, key.Panels[0].Metric.Name);
            }
        }

        markup.Line();
    }

    static void WriteTable(Markup markup, SweepKey key, SweepPanel panel)
    {
        markup.Element("h3", $"{panel.Metric.Name}, mean ± standard error");
        WideTable.Write(
            markup,
            $"{panel.Metric.Name} by {key.Key}",
            "results many",
            [key.Key, .. panel.Series.Select(series => series.Method)],
            () =>
            {
                for (var row = 0; row < key.Values.Count; row++)
                {
                    WriteRow(markup, key, panel, row);
                }
            }
        );
    }

    static void WriteRow(Markup markup, SweepKey key, SweepPanel panel, int row)
    {
        using (markup.Open("tr", ("class", row == key.Chosen ? "headline" : "plain")))
        {
            markup.Element("th", row == key.Chosen ? key.Values[row] + " (chosen)" : key.Values[row], ("scope", "row"));
            foreach (var series in panel.Series)
            {
                using (markup.Open("td"))
                {
                    if (series.Cells[row] is { } cell)
                    {
                        markup.Text(Number(cell.Mean)).Element("small", " ± " + Number(cell.StandardError));
                    }
                    else
                    {
                        markup.Text(NumberFormat.Missing);
                    }
                }
            }
        }
    }

    static void WriteGains(Markup markup, SweepKey key, string metric)
    {
        markup.Element("h3", $"{metric} gained over SFT");
        WideTable.Write(
            markup,
            $"{metric} gained over SFT by {key.Key}",
            "results many",
            [key.Key, "nats a token from the TAM", "method", "gain", "p", "helped", "hurt"],
            () =>
            {
                foreach (var gain in key.Gains)
                {
                    using (markup.Open("tr"))
                    {
                        markup.Element("th", gain.Value, ("scope", "row"));
                        markup
                            .Element("td", gain.Distance is { } distance ? Number(distance) : NumberFormat.Missing)
                            .Element("td", gain.Method)
                            .Element("td", NumberFormat.Signed(gain.Difference))
                            .Element("td", gain.P < 0.001 ? "< .001" : NumberFormat.Value(gain.P))
                            .Element("td", NumberFormat.Count(gain.Helped))
                            .Element("td", NumberFormat.Count(gain.Hurt));
                    }
                }
            }
        );
    }

    static void WriteRecipe(Markup markup, string yaml)
    {
        using (markup.Open("section"))
        {
            markup.Element("h2", "Recipe with the chosen values");
            markup.Element("pre", yaml);
        }
    }

    static string Number(double value) => NumberFormat.Minus(value.ToString("0.0000", CultureInfo.InvariantCulture));
}
