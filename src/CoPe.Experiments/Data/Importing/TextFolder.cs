using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using CoPe.Experiments.Data.Checking;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data.Importing;

/// <summary>
/// Text files (.txt, .md) as rows, in the order of their dates. Columns: <c>folder</c> (the first folder below, or the
/// folder itself), <c>file</c>, <c>date</c> (from the file's name, otherwise when it was
/// written last), <c>text</c>, and as its two parts <c>heading</c> and <c>body</c>: the first line where it is short,
/// otherwise the first sentence.
/// </summary>
static partial class TextFolder
{
    const int LongestHeading = 20;

    public static IEnumerable<ImportRow> ReadRows(string folder, ImportListener watch)
    {
        var all = Directory
            .EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .ToLookup(file => Path.GetExtension(file).ToLowerInvariant() is ".txt" or ".md" or ".text");
        var files = all[true].Order(StringComparer.Ordinal).ToList();
        if (files.Count == 0)
        {
            throw new DataFileException(
                new() { File = folder },
                "no .txt or .md file",
                "one text a file",
                "Put the texts there, a file each."
            );
        }

        foreach (var other in all[false].Order(StringComparer.Ordinal))
        {
            watch.OnProblem(
                new(
                    new() { File = other },
                    "a file of another kind",
                    ".txt or .md",
                    "The file is left out: save it as text, if it is one."
                )
            );
        }

        for (var number = 0; number < files.Count; number++)
        {
            watch.Progress.Report(ImportListener.StageName, number, files.Count, "files");
            if (ReadRow(folder, files[number], watch.OnProblem) is { } row)
            {
                yield return row;
            }
        }
    }

    /// <summary>A text's heading and the rest; the heading of a single sentence is its first words.</summary>
    public static (string Heading, string Body) SplitHeading(string text)
    {
        var trimmed = text.Trim();
        var line = trimmed.IndexOf('\n', StringComparison.Ordinal);
        var first = (line < 0 ? trimmed : trimmed[..line]).Trim().TrimStart('#').Trim();
        if (line >= 0 && first.Length > 0 && TextFaults.CountWords(first) <= LongestHeading)
        {
            return (first, trimmed[line..].Trim());
        }

        var sentence = SentenceEnd().Match(trimmed);
        var end = sentence.Success && sentence.Index + 1 < trimmed.Length ? sentence.Index + 1 : trimmed.Length;
        return (PromptTemplate.TruncateWords(trimmed[..end], LongestHeading), trimmed);
    }

    static ImportRow? ReadRow(string folder, string file, Action<DataFileException> problem)
    {
        var relative = Path.GetRelativePath(folder, file).Replace('\\', '/');
        var place = new DataFileLocation { File = file };
        string text;
        try
        {
            using var reader = TextFile.Open(file);
            text = reader.ReadToEnd();
        }
        catch (DecoderFallbackException error)
        {
            problem(TextFile.InvalidEncodingError(file, error));
            return null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            problem(
                new(place, $"a file that cannot be opened ({error.Message})", "a text", "The file is left out.", error)
            );
            return null;
        }

        if (string.IsNullOrWhiteSpace(text))
        {
            problem(new(place, "an empty text", "a text", "The file is left out."));
            return null;
        }

        var (heading, body) = SplitHeading(text);
        return new(
            place,
            new Dictionary<string, string?>
            {
                [ImportSource.FolderColumn] = relative.Contains('/')
                    ? relative[..relative.IndexOf('/', StringComparison.Ordinal)]
                    : Path.GetFileName(Path.GetFullPath(folder).TrimEnd('/', '\\')),
                [ImportSource.FileColumn] = relative,
                [ImportSource.DateColumn] = DateOf(file),
                [ImportSource.TextColumn] = text.Trim(),
                [ImportSource.HeadingColumn] = heading,
                [ImportSource.BodyColumn] = body,
            }
        );
    }

    static string DateOf(string file) =>
        DateInName().Match(DateColumnParser.ToAsciiDigits(Path.GetFileName(file))) is { Success: true } named
            ? $"{named.Groups[1].Value}-{named.Groups[2].Value}-{named.Groups[3].Value}"
            : File.GetLastWriteTimeUtc(file).ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);

    [GeneratedRegex(@"[.!?](?=\s)|$")]
    private static partial Regex SentenceEnd();

    [GeneratedRegex("((?:19|20)[0-9]{2})[-_.]?(0[1-9]|1[0-2])[-_.]?(0[1-9]|[12][0-9]|3[01])")]
    private static partial Regex DateInName();
}
