namespace CoPe.Experiments.Tasks;

/// <summary>
/// Takes the answer out of a generated text by the rules of docs/data.md; only the two ends of the text are looked at,
/// never its middle.
/// </summary>
public static class AnswerExtractor
{
    static readonly (char Open, char Close)[] QuotePairs =
    [
        ('"', '"'),
        ('\u201C', '\u201D'),
        ('\u2018', '\u2019'),
        ('\'', '\''),
    ];

    /// <summary>
    /// The answer: blanks at the ends off; thoughts in front of it off, from <c>&lt;think&gt;</c> to
    /// <c>&lt;/think&gt;</c>; for a one-line answer, only the first line that is not blank; one leading label of the
    /// task off, as in <c>Title: ...</c>;
    /// one pair of quotes off that encloses the whole one-line answer; a final stop off where the answer is a label or
    /// a number.
    /// </summary>
    public static string Extract(string generated, LampTask task)
    {
        ArgumentNullException.ThrowIfNull(generated);
        ArgumentNullException.ThrowIfNull(task);
        var answer = RemoveLabel(RemoveThinking(generated.Trim()), task);
        if (!task.SingleLineAnswer)
        {
            return answer;
        }

        var line = answer.AsSpan();
        if (line.IndexOfAny('\r', '\n') is var end and >= 0)
        {
            line = line[..end].TrimEnd();
        }

        answer = RemoveQuotes(line.ToString());
        return task.Outcome == TaskOutcome.Text ? answer : RemoveQuotes(answer.TrimEnd('.').Trim());
    }

    static string RemoveThinking(string text) =>
        text.StartsWith("<think>", StringComparison.Ordinal)
        && text.IndexOf("</think>", StringComparison.Ordinal) is var end and >= 0
            ? text[(end + "</think>".Length)..].TrimStart()
            : text;

    static string RemoveLabel(string text, LampTask task)
    {
        // The longest label first: "review text:" begins with "review".
        foreach (var label in task.AnswerLabels.OrderByDescending(label => label.Length))
        {
            if (!text.StartsWith(label, StringComparison.OrdinalIgnoreCase))
            {
                continue;
            }

            var rest = text.AsSpan(label.Length).TrimStart(' ');
            if (rest.StartsWith(":"))
            {
                return rest[1..].Trim().ToString();
            }
        }
        return text;
    }

    static string RemoveQuotes(string text)
    {
        foreach (var (open, close) in QuotePairs)
        {
            if (text.Length < 3 || text[0] != open || text[^1] != close)
            {
                continue;
            }

            var inner = text[1..^1];
            // A quote inside means that the two at the ends need not belong together, as in "A" and "B".
            return inner.Contains(open) || inner.Contains(close) ? text : inner.Trim();
        }
        return text;
    }
}
