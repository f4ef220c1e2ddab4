using System.Text;
using CoPe.Experiments.Runs.Examples;
using Spectre.Console;

namespace CoPe.Cli.Display;

/// <summary>
/// An example as the model sees it: tokens between bars, in colour where there is any; without, the heading of each
/// part says what training does with it.
/// </summary>
static class TokenizedExampleView
{
    static readonly Dictionary<SegmentRole, (string Colour, string Words)> Kinds = new()
    {
        [SegmentRole.Masked] = ("grey", "read, not learned (masked)"),
        [SegmentRole.Target] = ("green", "learned"),
        [SegmentRole.Rejected] = ("red", "rejected: made less likely"),
    };

    public static void Write(CommandHost host, ExamplePreview seen)
    {
        var console = host.CreateTableConsole();
        console.MarkupLineInterpolated(
            $"[bold]{seen.Stage.ToString().ToLowerInvariant()}[/]: user {seen.User}, item {seen.Item}"
        );
        foreach (var message in seen.Messages)
        {
            console.MarkupLineInterpolated($"\n[bold]{message.Role}[/], in words:");
            console.WriteLine(message.Content);
        }

        foreach (var part in seen.Segments)
        {
            Write(console, part);
        }

        console.WriteLine();
        var all = seen.Segments.Sum(part => part.Tokens.Count);
        console.WriteLine(
            $"{all} tokens: {string.Join(", ", seen.Segments.Select(part => $"{part.Tokens.Count} {part.Title}"))}"
        );
        foreach (var note in seen.Notes)
        {
            console.WriteLine($"note: {note}");
        }
    }

    static void Write(IAnsiConsole console, PreviewSegment part)
    {
        var (colour, words) = Kinds[part.Role];
        console.WriteLine();
        console.MarkupLine($"[bold {colour}]{part.Title}[/]: {part.Tokens.Count} tokens, {words}");
        foreach (
            var line in WrapTokens(part.Tokens.Select(token => EscapeControls(token.Text)), console.Profile.Width - 1)
        )
        {
            console.MarkupLine($"[{colour}]{Markup.Escape(line)}[/]");
        }

        if (part.TruncatedTokens > 0)
        {
            console.MarkupLine($"[yellow]>>> cut here: {part.TruncatedTokens} more tokens are not seen[/]");
        }
    }

    /// <summary>Tokens between bars, broken between tokens, and after each that ends a line.</summary>
    static IEnumerable<string> WrapTokens(IEnumerable<string> tokens, int width)
    {
        var line = new StringBuilder("|");
        foreach (var token in tokens)
        {
            if (line.Length > 1 && line.Length + token.Length + 1 > width)
            {
                yield return line.ToString();
                line.Clear().Append('|');
            }

            line.Append(token).Append('|');
            if (!token.EndsWith("\\n", StringComparison.Ordinal))
            {
                continue;
            }

            yield return line.ToString();
            line.Clear().Append('|');
        }

        if (line.Length > 1)
        {
            yield return line.ToString();
        }
    }

    static string EscapeControls(string text) =>
        string.Concat(
            text.Select(letter =>
                letter switch
                {
                    '\n' => "\\n",
                    '\r' => "\\r",
                    '\t' => "\\t",
                    _ when char.IsControl(letter) => $"\\u{(int)letter:x4}",
                    _ => letter.ToString(),
                }
            )
        );
}
