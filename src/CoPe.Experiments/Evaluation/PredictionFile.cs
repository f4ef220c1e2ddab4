using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using CoPe.Json;

namespace CoPe.Experiments.Evaluation;

/// <summary>
/// A prediction or label file of LaMP, LongLaMP and CoPe.
/// <code>{"task": "LaMP_5", "golds": [{"id": "310", "output": "..."}], "model": "..."}</code>
/// </summary>
/// <remarks>
/// A label file is the same without <c>model</c>. The reference calls predictions <c>golds</c> as well, so that its
/// files and ours are of one form. A bare array of <c>{"id", "output"}</c> is read too, and a line of JSON per answer
/// (JSON lines); these name no task.
/// </remarks>
public sealed record PredictionFile
{
    static readonly JsonWriterOptions Writing = new()
    {
        Indented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The benchmark's name of the task, for example <c>LaMP_5</c>; null where the file names none.</summary>
    public required string? Task { get; init; }

    /// <summary>The answers, in file order, ids unique.</summary>
    public required IReadOnlyList<Prediction> Predictions { get; init; }

    /// <summary>The model that wrote them; null in a label file.</summary>
    public string? Model { get; init; }

    /// <summary>Reads a file. Ids may be strings or numbers; unknown fields are ignored.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidDataException">It is not JSON of this form, or an id occurs twice.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static PredictionFile Read(string path)
    {
        using var stream = File.OpenRead(path);
        return stream.CanSeek && stream.Length > StrictJson.MaxFileBytes
            ? throw new InvalidDataException(
                $"{path} has {stream.Length:N0} bytes; answers of at most {StrictJson.MaxFileBytes:N0} were expected"
            )
            : Read(stream, path);
    }

    /// <summary>Reads a stream, for example an entry of a zip.</summary>
    /// <param name="stream">JSON text in UTF-8 or UTF-16; not closed.</param>
    /// <param name="name">What to call it in errors.</param>
    /// <exception cref="InvalidDataException">It is not JSON of this form, or an id occurs twice.</exception>
    public static PredictionFile Read(Stream stream, string name)
    {
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        copy.Position = 0;
        try
        {
            using var utf8 = new MemoryStream();
            using var text = TextEncoding.OpenAsUtf8(copy);
            text.CopyTo(utf8);
            return PredictionJson.Read(utf8.ToArray(), name);
        }
        catch (DecoderFallbackException error)
        {
            throw PredictionJson.CreateUnreadableError(name, error.Message, error);
        }
    }

    /// <summary>Writes the file, whole or not at all.</summary>
    /// <param name="path">The file; its folder is created where it is missing.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Write(string path) => AtomicFile.Write(path, Write);

    /// <summary>Writes to a stream, for example an entry of a zip.</summary>
    /// <param name="stream">Where to; not closed.</param>
    public void Write(Stream stream)
    {
        using var json = new Utf8JsonWriter(stream, Writing);
        json.WriteStartObject();
        if (Task is not null)
        {
            json.WriteString("task", Task);
        }

        json.WriteStartArray("golds");
        foreach (var prediction in Predictions)
        {
            json.WriteStartObject();
            json.WriteString("id", prediction.Id);
            json.WriteString("output", prediction.Output);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        if (Model is not null)
        {
            json.WriteString("model", Model);
        }

        json.WriteEndObject();
    }
}

/// <summary>One answer: of a model in a prediction file, of the user in a label file.</summary>
/// <param name="Id">The query it answers.</param>
/// <param name="Output">The text; may be empty.</param>
public sealed record Prediction(string Id, string Output);
