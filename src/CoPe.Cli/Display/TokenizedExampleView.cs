using System.Text;
using CoPe.Cli.Hosting;
using CoPe.Cli.Terminal;
using CoPe.Experiments.Runs.Examples;
using Spectre.Console;

namespace CoPe.Cli.Display;

/// <summary>
/// An example as the model sees it: tokens between bars, colored by what training does with them, which the heading of
/// each segment says in words.
/// </summary>
static class TokenizedExampleView
{
    static readonly Dictionary<SegmentRole, (string Color, string Summary)> Roles = new()
    {
        [SegmentRole.Masked] = ("grey", "read, not learned (masked)"),
        [SegmentRole.Target] = ("green", "learned"),
        [SegmentRole.Rejected] = ("red", "rejected: made less likely"),
    };

    public static void Write(CommandHost host, ExamplePreview example)
    {
        var console = host.CreateTableConsole();
        var stage = example.Stage.ToString().ToLowerInvariant();
        console.MarkupLineInterpolated($"[bold]{stage}[/]: user {example.User}, item {example.Item}");
        foreach (var message in example.Messages)
        {
            console.MarkupLineInterpolated($"\n[bold]{message.Role}[/], as text:");
            console.WriteLine(message.Content);
        }

        foreach (var segment in example.Segments)
        {
            WriteSegment(console, segment);
        }

        var total = example.Segments.Sum(segment => segment.Tokens.Count);
        var counts = example.Segments.Select(segment => $"{segment.Tokens.Count} {segment.Title}");
        console.WriteLine();
        console.WriteLine($"{total} tokens: {string.Join(", ", counts)}");
        foreach (var note in example.Notes)
        {
            console.WriteLine($"note: {note}");
        }
    }

    static void WriteSegment(IAnsiConsole console, PreviewSegment segment)
    {
        var (color, summary) = Roles[segment.Role];
        console.WriteLine();
        console.MarkupLine($"[bold {color}]{segment.Title}[/]: {segment.Tokens.Count} tokens, {summary}");
        var tokens = segment.Tokens.Select(token => EscapeControls(token.Text));
        foreach (var line in WrapTokens(tokens, console.Profile.Width - 1))
        {
            console.MarkupLine($"[{color}]{TerminalText.ToMarkup(line)}[/]");
        }

        if (segment.TruncatedTokens > 0)
        {
            console.MarkupLine($"[yellow]>>> truncated here: {segment.TruncatedTokens} more tokens are not used[/]");
        }
    }

    /// <summary>
    /// Tokens between bars, in lines of at most the width; a token that ends with a newline ends a line.
    /// </summary>
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
