using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data.Importing;

/// <summary>
/// Text files (.txt, .md) as rows, in the order of their paths. Columns: <c>folder</c> (the first folder below, or the
/// folder itself), <c>file</c>, <c>date</c> (from the file's name, otherwise its last change), <c>text</c>, and as its
/// two parts <c>heading</c> and <c>body</c>: the heading is the first line where that is short, otherwise the first
/// sentence.
/// </summary>
static partial class TextFolder
{
    public const string FolderColumn = "folder";
    public const string FileColumn = "file";
    public const string DateColumn = "date";
    public const string TextColumn = "text";
    public const string HeadingColumn = "heading";
    public const string BodyColumn = "body";

    const int MaxHeadingWords = 20;

    /// <summary>The texts of a folder, or the one of a file.</summary>
    public static IEnumerable<ImportRow> ReadRows(string folder, ImportListener listener)
    {
        if (File.Exists(folder))
        {
            if (ReadRow(Path.GetDirectoryName(Path.GetFullPath(folder))!, folder, listener.OnProblem) is { } only)
            {
                yield return only;
            }

            yield break;
        }

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
            listener.OnProblem(
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
            listener.Progress.Report(ImportListener.StageName, number, files.Count, "files");
            if (ReadRow(folder, files[number], listener.OnProblem) is { } row)
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
        var firstLine = line < 0 ? trimmed : trimmed[..line];
        var first = firstLine.Trim().TrimStart('#').Trim();
        if (line >= 0 && first.Length > 0 && WordLimit.Count(first) <= MaxHeadingWords)
        {
            return (first, trimmed[line..].Trim());
        }

        var sentence = SentenceEnd().Match(trimmed);
        var end = sentence.Success && sentence.Index + 1 < trimmed.Length ? sentence.Index + 1 : trimmed.Length;
        return (PromptTemplate.TruncateWords(trimmed[..end], MaxHeadingWords), trimmed);
    }

    static ImportRow? ReadRow(string folder, string file, Action<DataFileException> onProblem)
    {
        var text = ReadText(file, onProblem);
        if (text is null)
        {
            return null;
        }

        var relative = Path.GetRelativePath(folder, file).Replace('\\', '/');
        var slash = relative.IndexOf('/', StringComparison.Ordinal);
        var folderName = Path.GetFileName(Path.GetFullPath(folder).TrimEnd('/', '\\'));
        var (heading, body) = SplitHeading(text);
        var fields = new Dictionary<string, string?>
        {
            [FolderColumn] = slash >= 0 ? relative[..slash] : folderName,
            [FileColumn] = relative,
            [DateColumn] = DateOf(file),
            [TextColumn] = text.Trim(),
            [HeadingColumn] = heading,
            [BodyColumn] = body,
        };
        return new(new() { File = file }, fields);
    }

    /// <summary>The text of a file; null where it was reported as unreadable or empty.</summary>
    static string? ReadText(string file, Action<DataFileException> onProblem)
    {
        var location = new DataFileLocation { File = file };
        string text;
        try
        {
            using var reader = TextEncoding.OpenText(file);
            text = reader.ReadToEnd();
        }
        catch (DecoderFallbackException error)
        {
            onProblem(TextFile.InvalidEncodingError(file, error));
            return null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            onProblem(
                new(
                    location,
                    $"a file that cannot be opened ({error.Message})",
                    "a text",
                    "The file is left out.",
                    error
                )
            );
            return null;
        }

        if (string.IsNullOrWhiteSpace(text))
        {
            onProblem(new(location, "an empty text", "a text", "The file is left out."));
            return null;
        }

        return text;
    }

    /// <summary>The date in a file's name, otherwise that of its last change.</summary>
    static string DateOf(string file)
    {
        var match = DateInName().Match(DateColumnParser.ToAsciiDigits(Path.GetFileName(file)));
        if (match.Success)
        {
            return $"{match.Groups[1].Value}-{match.Groups[2].Value}-{match.Groups[3].Value}";
        }

        return File.GetLastWriteTimeUtc(file).ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
    }

    [GeneratedRegex(@"[.!?](?=\s)|$")]
    private static partial Regex SentenceEnd();

    [GeneratedRegex("((?:19|20)[0-9]{2})[-_.]?(0[1-9]|1[0-2])[-_.]?(0[1-9]|[12][0-9]|3[01])")]
    private static partial Regex DateInName();
}
