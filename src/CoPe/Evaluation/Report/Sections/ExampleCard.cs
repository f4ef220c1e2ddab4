namespace CoPe.Evaluation.Report.Sections;

/// <summary>One query: its input, the gold, and the outputs; methods that wrote the same share a box.</summary>
internal static class ExampleCard
{
    private const int InputLimit = 1500;
    private const int OutputLimit = 4000;
    private const int LongInput = 320;

    /// <summary>Writes the card.</summary>
    public static void Write(Markup markup, ReportExample example)
    {
        using (markup.Open("article", ("class", "card"), ("data-user", "u" + example.User)))
        {
            using (markup.Open("h3"))
                markup.Text("user ").Element("bdi", example.User).Text(" · query ").Element("bdi", example.Query);
            WriteInput(markup, example.Input);
            var words = GoldWords.Of(example.Gold);
            using (markup.Open("div", ("class", "outputs")))
            {
                WriteBox(markup, "box gold", "gold", null, () => WriteText(markup, example.Gold, text => markup.Text(text)));
                foreach (var same in example.Outputs.GroupBy(output => output.Text, StringComparer.Ordinal))
                    WriteBox(markup, "box", string.Join(" = ", same.Select(output => output.Method)), same.First().Score,
                        () => WriteText(markup, same.Key, text => GoldWords.Write(markup, text, words)));
            }
        }
        markup.Line();
    }

    private static void WriteInput(Markup markup, string input)
    {
        if (MarkupText.Cut(input, LongInput).Left == 0)
        {
            using (markup.Open("div", ("class", "input")))
                WriteText(markup, input, text => markup.Text(text));
            return;
        }
        using (markup.Open("details", ("class", "input")))
        {
            markup.Element("summary", MarkupText.Shorten(input, LongInput - 60), ("dir", "auto"));
            WriteText(markup, MarkupText.Cut(input, InputLimit).Head, text => markup.Text(text));
            WriteLeft(markup, MarkupText.Cut(input, InputLimit).Left);
        }
    }

    private static void WriteBox(Markup markup, string style, string name, double? score, Action writeText)
    {
        using (markup.Open("div", ("class", style)))
        {
            using (markup.Open("p", ("class", "by")))
            {
                markup.Element("span", name);
                if (score is { } value && double.IsFinite(value))
                    markup.Element("span", Figures.Value(value), ("class", "score"));
            }
            writeText();
        }
    }

    private static void WriteText(Markup markup, string text, Action<string> write)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            markup.Element("p", text.Length == 0 ? "(empty)" : "(only white space)", ("class", "absent"));
            return;
        }
        var (head, left) = MarkupText.Cut(text, OutputLimit);
        using (markup.Open("p", ("class", "text"), ("dir", "auto")))
            write(head);
        WriteLeft(markup, left);
    }

    private static void WriteLeft(Markup markup, int left)
    {
        if (left > 0)
            markup.Element("p", $"… and {Figures.Count(left, "character")} more", ("class", "note"));
    }
}
