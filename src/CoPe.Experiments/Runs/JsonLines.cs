using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

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
        AtomicFile.NotifyBefore("append " + path);
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
        AtomicFile.WriteText(path, string.Concat(items.Select(item => JsonSerializer.Serialize(item, Options) + "\n")));
    }

    /// <summary>The whole lines of a file; none where it does not exist.</summary>
    /// <exception cref="RunException">A whole line is not JSON of this kind.</exception>
    public static IReadOnlyList<T> Read<T>(string path)
    {
        if (!File.Exists(path))
        {
            return [];
        }

        var text = File.ReadAllText(path);
        var lines = text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return [.. lines.Select((line, index) => Parse<T>(line, path, index + 1))];
    }

    static T Parse<T>(string line, string path, int number)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(line, Options) ?? throw new JsonException("null");
        }
        catch (JsonException error)
        {
            throw new RunException(
                $"{path} line {number} is damaged ({error.Message}): delete the file and run again",
                error
            );
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
