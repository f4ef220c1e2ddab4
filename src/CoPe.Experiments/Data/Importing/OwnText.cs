using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data.Importing;

/// <summary>
/// A person's text as a request and what they wrote in answer. The request is the subject of a mail, the title of a
/// front matter, or a heading; a text without any is asked for by its first words.
/// </summary>
/// <param name="Request">The request.</param>
/// <param name="Body">The text.</param>
sealed record OwnText(string Request, string Body)
{
    const int MaxHeadingWords = 20;
    const int MaxFirstWords = 8;

    static readonly string[] TitleNames =
    [
        "title",
        "subject",
        "betreff",
        "titel",
        "objet",
        "titre",
        "asunto",
        "oggetto",
    ];

    /// <summary>Divides a text.</summary>
    public static OwnText Split(string text)
    {
        var lines = text.Trim().ReplaceLineEndings("\n").Split('\n');
        var (title, start) = ReadHead(lines);
        var rest = JoinFrom(lines, start);
        if (title is not null && rest.Length > 0)
        {
            return new(title, rest);
        }

        if (rest.Length == 0)
        {
            return FromFirstWords(text.Trim());
        }

        var restLines = rest.Split('\n');
        var first = restLines[0].Trim();
        var heading = first.TrimStart('#').Trim().Trim('*', '_').Trim();
        var body = JoinFrom(restLines, 1);
        var isHeading = first.StartsWith('#') || !EndsAsSentenceOrGreeting(heading);
        return heading.Length > 0 && body.Length > 0 && isHeading && WordLimit.Count(heading) <= MaxHeadingWords
            ? new(heading, body)
            : FromFirstWords(rest);
    }

    /// <summary>
    /// The title of lines <c>name: value</c> at the top, as mails and front matters have them, and where the text
    /// begins behind them.
    /// </summary>
    static (string? Title, int Start) ReadHead(string[] lines)
    {
        var isFenced = lines[0].Trim() == "---";
        var line = isFenced ? 1 : 0;
        string? title = null;
        for (; line < lines.Length && lines[line].Trim() is { Length: > 0 } text && text != "---"; line++)
        {
            var colon = text.IndexOf(':', StringComparison.Ordinal);
            var isField = colon > 0 && !text[..colon].Contains(' ', StringComparison.Ordinal);
            if (!isField && !isFenced)
            {
                return (null, 0);
            }

            if (isField && TitleNames.Contains(text[..colon].ToLowerInvariant()))
            {
                title = text[(colon + 1)..].Trim().Trim('"', '\'').Trim();
            }
        }

        if (isFenced && (line >= lines.Length || lines[line].Trim() != "---"))
        {
            return (null, 0);
        }

        var start = isFenced ? line + 1 : line;
        var isHead = isFenced || title is not null;
        return (string.IsNullOrWhiteSpace(title) ? null : title, isHead ? start : 0);
    }

    /// <summary>A first line such as <c>Dear Ann,</c> belongs to the text, and so does a sentence.</summary>
    static bool EndsAsSentenceOrGreeting(string line) => line.Length > 0 && ",.;\u2026\u3002".Contains(line[^1]);

    static OwnText FromFirstWords(string text)
    {
        var words = WordLimit.Count(text);
        var request = PromptTemplate.TruncateWords(text, Math.Clamp(words / 3, 1, MaxFirstWords));
        return new(string.Join(' ', request.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)), text);
    }

    static string JoinFrom(string[] lines, int start) => string.Join('\n', lines.Skip(start)).Trim();
}
