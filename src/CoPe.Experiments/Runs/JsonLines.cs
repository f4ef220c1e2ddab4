using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using CoPe.Json;

namespace CoPe.Experiments.Runs;

/// <summary>
/// Files of one JSON object a line that grow while a stage runs. A line counts once its newline is written: what a
/// crash left behind it is dropped on reading and before the next append.
/// </summary>
public static class JsonLines
{
    static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    const string Advice = "delete the file and run again";

    /// <summary>Appends lines and flushes them to the disk together.</summary>
    public static void Append<T>(string path, IEnumerable<T> items)
    {
        ArgumentNullException.ThrowIfNull(items);
        var text = new StringBuilder();
        foreach (var item in items)
        {
            text.Append(JsonSerializer.Serialize(item, Options)).Append('\n');
        }

        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        AtomicFile.CreateFolder(folder);
        AtomicFile.NotifyBefore("append", path);
        var isNew = !File.Exists(path);
        using var stream = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        stream.SetLength(WholeLength(stream));
        stream.Position = stream.Length;
        stream.Write(Encoding.UTF8.GetBytes(text.ToString()));
        DiskSync.Flush(stream);
        if (isNew)
        {
            DiskSync.FlushFolder(folder);
        }
    }

    /// <summary>Writes a whole file of lines, aside and then renamed.</summary>
    public static void Write<T>(string path, IEnumerable<T> items)
    {
        ArgumentNullException.ThrowIfNull(items);
        AtomicFile.WriteLines(path, items.Select(item => JsonSerializer.Serialize(item, Options)));
    }

    /// <summary>The whole lines of a file; none where it does not exist.</summary>
    /// <exception cref="RunException">A whole line is not JSON of this kind.</exception>
    public static IReadOnlyList<T> Read<T>(string path) => [.. Enumerate<T>(path)];

    /// <summary>The whole lines of a file one by one; none where it does not exist.</summary>
    /// <exception cref="RunException">A whole line is not JSON of this kind.</exception>
    internal static IEnumerable<T> Enumerate<T>(string path) => Enumerate<T>(path, takesUnfinished: false);

    /// <summary>All lines of a file that somebody else wrote, whose last line may lack its newline.</summary>
    /// <exception cref="RunException">A line is not JSON of this kind.</exception>
    internal static IReadOnlyList<T> ReadAll<T>(string path) => [.. Enumerate<T>(path, takesUnfinished: true)];

    /// <summary>The whole lines of a file by a key that no two of them share.</summary>
    /// <exception cref="RunException">A whole line is not JSON of this kind, or has the key of another.</exception>
    internal static Dictionary<TKey, T> Read<T, TKey>(string path, Func<T, TKey> getKey)
        where TKey : notnull
    {
        var lines = new Dictionary<TKey, T>();
        foreach (var line in Enumerate<T>(path))
        {
            if (!lines.TryAdd(getKey(line), line))
            {
                throw RunJson.CreateDamagedError(path, $"two lines of {getKey(line)}", Advice);
            }
        }

        return lines;
    }

    static IEnumerable<T> Enumerate<T>(string path, bool takesUnfinished)
    {
        if (!File.Exists(path))
        {
            yield break;
        }

        using var stream = File.OpenRead(path);
        using var lines = new ByteLines(stream, takesUnfinished).Read().GetEnumerator();
        while (TryRead<T>(lines, path, takesUnfinished ? "correct it" : Advice, out var line))
        {
            yield return line;
        }
    }

    static bool TryRead<T>(IEnumerator<ByteLine> lines, string path, string advice, [MaybeNullWhen(false)] out T line)
    {
        try
        {
            var found = lines.MoveNext();
            line = found ? StrictJson.Deserialize<T>(lines.Current.Text.Span, Options, lines.Current.Number) : default;
            return found;
        }
        catch (InvalidJsonException error)
        {
            throw RunJson.CreateDamagedError(path, error.Message, advice, error);
        }
    }

    static long WholeLength(FileStream stream)
    {
        for (var end = stream.Length; end > 0; end--)
        {
            stream.Position = end - 1;
            if (stream.ReadByte() == '\n')
            {
                return end;
            }
        }

        return 0;
    }
}
