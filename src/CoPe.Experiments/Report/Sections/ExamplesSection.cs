namespace CoPe.Experiments.Report.Sections;

/// <summary>Queries with the gold and all outputs side by side, filtered in the page by user and by words.</summary>
sealed class ExamplesSection : ReportSection
{
    public override string Id => "examples";

    public override string Title => "Examples";

    public override bool HasData(ReportModel model) => model.Examples.Count > 0;

    protected override string EmptyMessage => "No predictions were recorded in this run, so there are no examples.";

    protected override string Lead(ReportModel model)
    {
        return DescribeSelection(model)
            + " Words of four letters or more that the gold has too are underlined; "
            + "methods that wrote the same share a box.";
    }

    static string DescribeSelection(ReportModel model)
    {
        var all = model.Examples.Count;
        var shown = ExampleChoice.Spread(model.Examples, model.MaxExamples).Count;
        var users = NumberFormat.Count(model.Examples.Select(example => example.User).Distinct().Count(), "user");
        if (shown < all)
        {
            var counts = $"{NumberFormat.Count(shown)} of {NumberFormat.Count(all)} queries";
            return $"{counts}, shared out evenly over {users}.";
        }

        return shown == 1 ? "The one query of the run." : $"All {NumberFormat.Count(shown)} queries of {users}.";
    }

    protected override void WriteContent(Markup markup, ReportModel model)
    {
        var shown = ExampleChoice.Spread(model.Examples, model.MaxExamples);
        WriteFilter(markup, shown);
        using (markup.Open("div", ("id", "cards")))
        {
            foreach (var example in shown)
            {
                ExampleCard.Write(markup, example);
            }
        }

        using (markup.Open("p", ("class", "more")))
        {
            markup.Element("button", "Show more", ("type", "button"), ("id", "more"), ("hidden", "hidden"));
        }
    }

    static void WriteFilter(Markup markup, IReadOnlyList<ReportExample> shown)
    {
        var users = shown.Select(example => example.User).Distinct().ToList();
        using (markup.Open("form", ("id", "filter"), ("hidden", "hidden")))
        {
            using (markup.Open("label"))
            {
                markup.Text("User ");
                using (markup.Open("select", ("id", "by-user")))
                {
                    markup.Element("option", $"all {NumberFormat.Count(users.Count)}", ("value", ""));
                    foreach (var user in users)
                    {
                        markup.Element("option", user, ("value", "u" + user));
                    }
                }
            }

            using (markup.Open("label"))
            {
                markup
                    .Text("Words in input, gold or output ")
                    .Void("input", ("type", "search"), ("id", "by-words"), ("dir", "auto"));
            }

            markup.Element("output", "", ("id", "found"));
        }
    }
}

/// <summary>One query: its input, the gold, and the outputs; methods that wrote the same share a box.</summary>
static class ExampleCard
{
    const int InputLimit = 1500;
    const int OutputLimit = 4000;
    const int LongInput = 320;

    /// <summary>Writes the card.</summary>
    public static void Write(Markup markup, ReportExample example)
    {
        using (markup.Open("article", ("class", "card"), ("data-user", "u" + example.User)))
        {
            using (markup.Open("h3"))
            {
                markup.Text("user ").Element("bdi", example.User).Text(" · query ").Element("bdi", example.Query);
            }

            WriteInput(markup, example.Input);
            var words = GoldWords.Find(example.Gold);
            using (markup.Open("div", ("class", "outputs")))
            {
                WriteBox(
                    markup,
                    "box gold",
                    "gold",
                    null,
                    () => WriteText(markup, example.Gold, text => markup.Text(text))
                );
                foreach (var same in example.Outputs.GroupBy(output => output.Text, StringComparer.Ordinal))
                {
                    WriteBox(
                        markup,
                        "box",
                        string.Join(" = ", same.Select(output => output.Method)),
                        same.First().Score,
                        () => WriteText(markup, same.Key, text => GoldWords.Write(markup, text, words))
                    );
                }
            }
        }

        markup.Line();
    }

    static void WriteInput(Markup markup, string input)
    {
        if (MarkupText.Cut(input, LongInput).Left == 0)
        {
            using (markup.Open("div", ("class", "input")))
            {
                WriteText(markup, input, text => markup.Text(text));
            }

            return;
        }

        using (markup.Open("details", ("class", "input")))
        {
            markup.Element("summary", MarkupText.Shorten(input, LongInput - 60), ("dir", "auto"));
            WriteText(markup, MarkupText.Cut(input, InputLimit).Head, text => markup.Text(text));
            WriteLeft(markup, MarkupText.Cut(input, InputLimit).Left);
        }
    }

    static void WriteBox(Markup markup, string style, string name, double? score, Action writeText)
    {
        using (markup.Open("div", ("class", style)))
        {
            using (markup.Open("p", ("class", "by")))
            {
                markup.Element("span", name);
                if (score is { } value && double.IsFinite(value))
                {
                    markup.Element("span", NumberFormat.Value(value), ("class", "score"));
                }
            }
            writeText();
        }
    }

    static void WriteText(Markup markup, string text, Action<string> write)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            markup.Element("p", text.Length == 0 ? "(empty)" : "(only white space)", ("class", "absent"));
            return;
        }
        var (head, left) = MarkupText.Cut(text, OutputLimit);
        using (markup.Open("p", ("class", "text"), ("dir", "auto")))
        {
            write(head);
        }

        WriteLeft(markup, left);
    }

    static void WriteLeft(Markup markup, int left)
    {
        if (left > 0)
        {
            markup.Element("p", $"… and {NumberFormat.Count(left, "character")} more", ("class", "note"));
        }
    }
}

/// <summary>Which examples a report shows where there are too many.</summary>
static class ExampleChoice
{
    /// <summary>
    /// At most <paramref name="limit"/> examples in their order: the first of every user, then the second of every
    /// user, and so on.
    /// </summary>
    public static IReadOnlyList<ReportExample> Spread(IReadOnlyList<ReportExample> examples, int limit)
    {
        if (examples.Count <= limit)
        {
            return examples;
        }

        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        var rounds = new (int Round, int Index)[examples.Count];
        for (var index = 0; index < examples.Count; index++)
        {
            var user = examples[index].User;
            var round = seen.GetValueOrDefault(user);
            rounds[index] = (round, index);
            seen[user] = round + 1;
        }

        return [.. rounds.Order().Take(limit).Select(entry => entry.Index).Order().Select(index => examples[index])];
    }
}

/// <summary>Underlines the words of an output that the gold has too.</summary>
static class GoldWords
{
    const int ShortestWord = 4;

    /// <summary>The words of four letters or digits and more, without regard to case.</summary>
    public static HashSet<string> Find(string gold) =>
        Split(gold)
            .Where(piece => piece.IsWord && piece.Text.Length >= ShortestWord)
            .Select(piece => piece.Text)
            .ToHashSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>Writes the text with the words of <paramref name="words"/> marked.</summary>
    public static void Write(Markup markup, string text, HashSet<string> words)
    {
        foreach (var (piece, isWord) in Split(text))
        {
            if (isWord && words.Contains(piece))
            {
                markup.Element("u", piece);
            }
            else
            {
                markup.Text(piece);
            }
        }
    }

    static IEnumerable<(string Text, bool IsWord)> Split(string text)
    {
        for (var start = 0; start < text.Length;)
        {
            var isWord = char.IsLetterOrDigit(text[start]);
            var end = start + 1;
            while (end < text.Length && char.IsLetterOrDigit(text[end]) == isWord)
            {
                end++;
            }

            yield return (text[start..end], isWord);
            start = end;
        }
    }
}
