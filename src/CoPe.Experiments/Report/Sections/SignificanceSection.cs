using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Report.Plots;

namespace CoPe.Experiments.Report.Sections;

/// <summary>Paired tests as a table.</summary>
sealed class SignificanceSection : ReportSection
{
    /// <summary>
    /// Most rows in one table; of more, those in the first metric are shown and the others on demand.
    /// </summary>
    const int FewRows = 12;

    public override string Id => "significance";

    public override string Title => "Significance";

    public override bool HasData(ReportModel model) => model.Significance.Count > 0;

    protected override string EmptyMessage =>
        "No pair of methods has been tested, so nothing can be said about chance.";

    protected override string Lead(ReportModel model)
    {
        const string Tests =
            "Paired tests on the same queries, two-sided: a bootstrap of the mean difference, which also gives its "
            + "interval, and a sign test. p below 0.05 is set in bold; ";
        var count = model.Significance.Count;
        var number =
            count == 1
                ? "there is one test."
                : $"the {NumberFormat.Count(count)} tests are not corrected for their number.";
        var users = model.Significance.Max(row => row.UsersHelped + row.UsersHurt + row.UsersEqual);
        if (users >= PairedTest.MinUnitsForBootstrap)
        {
            return Tests + number;
        }

        return Tests
            + number
            + $" With fewer than {PairedTest.MinUnitsForBootstrap} users the bootstrap is too sure of itself: "
            + "go by the sign test.";
    }

    protected override void WriteContent(Markup markup, ReportModel model)
    {
        var first = model.Significance.Where(row => row.Metric == model.Significance[0].Metric).ToList();
        if (model.Significance.Count <= FewRows || first.Count == model.Significance.Count)
        {
            WriteTable(markup, model.Significance);
            return;
        }

        WriteTable(markup, first);
        using (markup.Open("details"))
        {
            var metrics = model.Significance.Select(row => row.Metric).Distinct().Count();
            markup.Element("summary", $"The same in {NumberFormat.Count(metrics - 1, "more metric")}");
            WriteTable(
                markup,
                [
                    .. model
                        .Significance.Where(row => row.Metric != first[0].Metric)
                        .GroupBy(row => row.Metric)
                        .SelectMany(rows => rows),
                ]
            );
        }
    }

    static void WriteTable(Markup markup, IReadOnlyList<SignificanceRow> rows) =>
        WideTable.Write(
            markup,
            "Table of paired tests",
            "tests",
            ["Comparison", "Metric", "Difference", "95 % interval", "p bootstrap", "p sign", "Users"],
            () =>
            {
                foreach (var row in rows)
                {
                    WriteRow(markup, row);
                }
            }
        );

    static void WriteRow(Markup markup, SignificanceRow row)
    {
        using (markup.Open("tr"))
        {
            using (markup.Open("th", ("scope", "row")))
            {
                markup.Text(row.Method).Element("span", " against ", ("class", "dim")).Text(row.Baseline);
            }

            markup.Element("td", row.Metric, ("class", "left"));
            markup.Element("td", NumberFormat.Signed(row.Difference), ("data-label", "difference"));
            markup.Element(
                "td",
                double.IsFinite(row.Low)
                    ? $"{NumberFormat.Signed(row.Low)} to {NumberFormat.Signed(row.High)}"
                    : NumberFormat.Missing,
                ("data-label", "95 % interval")
            );
            WriteP(markup, "p bootstrap", row.BootstrapP);
            WriteP(markup, "p sign", row.SignP);
            using (markup.Open("td", ("class", "users")))
            {
                HelpedHurtBar.Write(markup, row.UsersHelped, row.UsersHurt, row.UsersEqual);
            }
        }
    }

    static void WriteP(Markup markup, string label, double p)
    {
        using (markup.Open("td", ("data-label", label)))
        {
            markup.Element(p < 0.05 ? "strong" : "span", NumberFormat.PValue(p));
        }
    }
}

/// <summary>How many users were helped and hurt, as two numbers over a bar of their shares.</summary>
static class HelpedHurtBar
{
    /// <summary>Writes it; nothing where no user was counted.</summary>
    public static void Write(Markup markup, int helped, int hurt, int equal)
    {
        var all = helped + hurt + equal;
        if (all == 0)
        {
            return;
        }

        var counts = $"{NumberFormat.Count(helped)} helped, {NumberFormat.Count(equal)} equal";
        using (markup.Open("span", ("class", "hh"), ("title", $"{counts}, {NumberFormat.Count(hurt)} hurt")))
        {
            using (markup.Open("span", ("class", "hh-n")))
            {
                markup.Element("b", $"{NumberFormat.Count(helped)} helped", ("class", "up"));
                if (equal > 0)
                {
                    markup.Element("span", $"{NumberFormat.Count(equal)} equal");
                }

                markup.Element("b", $"{NumberFormat.Count(hurt)} hurt", ("class", "down"));
            }

            (string Style, int Users)[] parts = [("up", helped), ("eq", equal), ("down", hurt)];
            ShareBar.Write(
                markup,
                "hh-bar",
                [.. parts.Where(part => part.Users > 0).Select(part => (part.Style, 100.0 * part.Users / all))]
            );
        }
    }
}
