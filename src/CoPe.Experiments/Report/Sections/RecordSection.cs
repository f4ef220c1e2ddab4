using CoPe.Experiments.Report.Plots;

namespace CoPe.Experiments.Report.Sections;

/// <summary>How the run was made: facts, times and the recipe, enough to make it again.</summary>
sealed class RecordSection : ReportSection
{
    public override string Id => "record";

    public override string Title => "How it was made";

    public override bool HasData(ReportModel model) =>
        model.Facts.Count > 0 || model.StageTimes.Count > 0 || model.RecipeYaml.Length > 0;

    protected override string EmptyMessage =>
        "Neither a recipe nor facts about the machine and the data were recorded in this run.";

    protected override string Lead(ReportModel model) => "What it takes to make this run again, and what it cost.";

    protected override void WriteContent(Markup markup, ReportModel model)
    {
        using (markup.Open("div", ("class", "facts")))
        {
            var groups = model.Facts.GroupBy(fact => fact.Group).ToList();
            foreach (var group in groups.SkipLast(1))
            {
                WriteFacts(markup, group);
            }

            if (model.StageTimes.Count > 0)
            {
                WriteTimes(markup, model.StageTimes);
            }

            foreach (var group in groups.TakeLast(1)) // the hashes, the longest: in the other column
            {
                WriteFacts(markup, group);
            }
        }
        if (model.RecipeYaml.Length > 0)
        {
            WriteRecipe(markup, model.RecipeYaml);
        }
        else
        {
            markup.Element("p", "The recipe was not recorded.", ("class", "absent"));
        }
    }

    static void WriteFacts(Markup markup, IGrouping<string, ReportFact> group)
    {
        using (markup.Open("div", ("class", "fact-group")))
        {
            markup.Element("h3", group.Key);
            using (markup.Open("dl"))
            {
                foreach (var fact in group)
                {
                    markup.Element("dt", fact.Name).Element("dd", fact.Value, ("dir", "auto"));
                }
            }
        }
    }

    static void WriteTimes(Markup markup, IReadOnlyList<StageTime> times)
    {
        var total = TimeSpan.FromTicks(times.Sum(time => time.Duration.Ticks));
        using (markup.Open("div", ("class", "fact-group times")))
        {
            markup.Element("h3", $"Times, {NumberFormat.Duration(total)} in all");
            using (markup.Open("dl"))
            {
                foreach (var time in times)
                {
                    var share = total.Ticks == 0 ? 0 : 100.0 * time.Duration.Ticks / total.Ticks;
                    markup.Element("dt", time.Stage);
                    using (markup.Open("dd"))
                    {
                        markup.Element("span", NumberFormat.Duration(time.Duration));
                        ShareBar.Write(markup, "time-bar", ("time", share));
                    }
                }
            }
        }
    }

    static void WriteRecipe(Markup markup, string yaml)
    {
        using (markup.Open("details", ("class", "recipe"), ("open", "open")))
        {
            markup.Element("summary", "Recipe");
            using (markup.Open("pre", ("tabindex", "0")))
            using (markup.Open("code"))
            {
                foreach (var line in yaml.ReplaceLineEndings("\n").TrimEnd('\n').Split('\n'))
                {
                    WriteYamlLine(markup, line);
                }
            }
        }
    }

    static void WriteYamlLine(Markup markup, string line)
    {
        var colon = line.IndexOf(": ", StringComparison.Ordinal);
        var key =
            colon > 0 ? colon
            : line.EndsWith(':') ? line.Length - 1
            : -1;
        if (line.TrimStart().StartsWith('#'))
        {
            markup.Element("i", line);
        }
        else if (key > 0 && !line.AsSpan(0, key).ContainsAny("\"'{["))
        {
            markup.Element("b", line[..key]).Text(line[key..]);
        }
        else
        {
            markup.Text(line);
        }

        markup.Line();
    }
}
