namespace CoPe.Experiments.Tasks;

/// <summary>
/// Takes a task's answer out of what a model answered by the rules of docs/data.md: something is removed at its two
/// ends, never in its middle.
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
    /// The answer without white space at its ends, and without one leading label of the task, as in <c>Title: ...</c>.
    /// Of a one-line answer only the first line that is not blank, without a pair of quotes that encloses the whole of
    /// it; of a label or a number also without a final period.
    /// </summary>
    /// <param name="response">
    /// What the model answered, its reasoning taken away (<see cref="Chat.ConversationEncoder.DecodeResponse"/>).
    /// </param>
    /// <param name="task">The task.</param>
    public static string Extract(string response, LampTask task)
    {
        ArgumentNullException.ThrowIfNull(response);
        ArgumentNullException.ThrowIfNull(task);
        var answer = RemoveLabel(response.Trim(), task);
        if (!task.SingleLineAnswer)
        {
            return answer;
        }

        var line = RemoveQuotes(TakeFirstLine(answer));
        return task.Outcome == TaskOutcome.Text ? line : RemoveQuotes(line.TrimEnd('.').Trim());
    }

    static string TakeFirstLine(string text)
    {
        var end = text.AsSpan().IndexOfAny('\r', '\n');
        return end < 0 ? text : text[..end].TrimEnd();
    }

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

            // A quote inside means that the two at the ends need not belong together, as in "A" and "B".
            var inner = text[1..^1];
            var hasQuoteInside = inner.Contains(open) || inner.Contains(close);
            return hasQuoteInside ? text : inner.Trim();
        }

        return text;
    }
}
