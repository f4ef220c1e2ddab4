namespace CoPe.Evaluation.Report.Sections;

/// <summary>Queries with the gold and all outputs side by side, filtered in the page by user and by words.</summary>
internal sealed class ExamplesSection : ReportSection
{
    /// <inheritdoc/>
    public override string Id => "examples";

    /// <inheritdoc/>
    public override string Title => "Examples";

    /// <inheritdoc/>
    public override bool HasData(ReportModel model) => model.Examples.Count > 0;

    /// <inheritdoc/>
    protected override string Absence => "No predictions were recorded in this run, so there are no examples.";

    /// <inheritdoc/>
    protected override string Lead(ReportModel model)
    {
        var shown = ExampleChoice.Spread(model.Examples, model.MaxExamples).Count;
        var users = Figures.Count(model.Examples.Select(example => example.User).Distinct().Count(), "user");
        var which = shown < model.Examples.Count
            ? $"{Figures.Count(shown)} of {Figures.Count(model.Examples.Count)} queries, shared out evenly over {users}."
            : shown == 1 ? "The one query of the run." : $"All {Figures.Count(shown)} queries of {users}.";
        return which + " Words of four letters or more that the gold has too are underlined; methods that wrote the same share a box.";
    }

    /// <inheritdoc/>
    protected override void WriteContent(Markup markup, ReportModel model)
    {
        var shown = ExampleChoice.Spread(model.Examples, model.MaxExamples);
        WriteFilter(markup, shown);
        using (markup.Open("div", ("id", "cards")))
            foreach (var example in shown)
                ExampleCard.Write(markup, example);
        using (markup.Open("p", ("class", "more")))
            markup.Element("button", "Show more", ("type", "button"), ("id", "more"), ("hidden", "hidden"));
    }

    private static void WriteFilter(Markup markup, IReadOnlyList<ReportExample> shown)
    {
        var users = shown.Select(example => example.User).Distinct().ToList();
        using (markup.Open("form", ("id", "filter"), ("hidden", "hidden")))
        {
            using (markup.Open("label"))
            {
                markup.Text("User ");
                using (markup.Open("select", ("id", "by-user")))
                {
                    markup.Element("option", $"all {Figures.Count(users.Count)}", ("value", ""));
                    foreach (var user in users)
                        markup.Element("option", user, ("value", "u" + user));
                }
            }
            using (markup.Open("label"))
                markup.Text("Words in input, gold or output ").Void("input", ("type", "search"), ("id", "by-words"), ("dir", "auto"));
            markup.Element("output", "", ("id", "found"));
        }
    }
}
