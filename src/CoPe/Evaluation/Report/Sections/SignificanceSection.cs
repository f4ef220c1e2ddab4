namespace CoPe.Evaluation.Report.Sections;

/// <summary>Paired tests as a table.</summary>
internal sealed class SignificanceSection : ReportSection
{
    /// <summary>Most rows in one table; of more, those in the first metric are shown and the others on demand.</summary>
    private const int FewRows = 12;

    /// <inheritdoc/>
    public override string Id => "significance";

    /// <inheritdoc/>
    public override string Title => "Significance";

    /// <inheritdoc/>
    public override bool HasData(ReportModel model) => model.Significance.Count > 0;

    /// <inheritdoc/>
    protected override string Absence => "No pair of methods has been tested, so nothing can be said about chance.";

    /// <inheritdoc/>
    protected override string Lead(ReportModel model) =>
        "Paired tests on the same queries, two-sided: a bootstrap of the mean difference, which also gives its interval, and a sign test. p below 0.05 is set in bold; " +
        (model.Significance.Count == 1 ? "there is one test." : $"the {Figures.Count(model.Significance.Count)} tests are not corrected for their number.") +
        (model.Significance.Max(row => row.UsersHelped + row.UsersHurt + row.UsersEqual) < PairedTest.FewestForBootstrap
            ? $" With fewer than {PairedTest.FewestForBootstrap} users the bootstrap is too sure of itself: go by the sign test." : "");

    /// <inheritdoc/>
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
            markup.Element("summary", $"The same in {Figures.Count(model.Significance.Select(row => row.Metric).Distinct().Count() - 1, "more metric")}");
            WriteTable(markup, [.. model.Significance.Where(row => row.Metric != first[0].Metric).GroupBy(row => row.Metric).SelectMany(rows => rows)]);
        }
    }

    private static void WriteTable(Markup markup, IReadOnlyList<SignificanceRow> rows) =>
        WideTable.Write(markup, "Table of paired tests", "tests", ["Comparison", "Metric", "Difference", "95 % interval", "p bootstrap", "p sign", "Users"], () =>
        {
            foreach (var row in rows)
                WriteRow(markup, row);
        });

    private static void WriteRow(Markup markup, SignificanceRow row)
    {
        using (markup.Open("tr"))
        {
            using (markup.Open("th", ("scope", "row")))
                markup.Text(row.Method).Element("span", " against ", ("class", "dim")).Text(row.Baseline);
            markup.Element("td", row.Metric, ("class", "left"));
            markup.Element("td", Figures.Signed(row.Difference), ("data-label", "difference"));
            markup.Element("td", double.IsFinite(row.Low) ? $"{Figures.Signed(row.Low)} to {Figures.Signed(row.High)}" : Figures.None, ("data-label", "95 % interval"));
            WriteP(markup, "p bootstrap", row.BootstrapP);
            WriteP(markup, "p sign", row.SignP);
            using (markup.Open("td", ("class", "users")))
                HelpedHurtBar.Write(markup, row.UsersHelped, row.UsersHurt, row.UsersEqual);
        }
    }

    private static void WriteP(Markup markup, string label, double p)
    {
        using (markup.Open("td", ("data-label", label)))
            markup.Element(p < 0.05 ? "strong" : "span", Figures.PValue(p));
    }
}
