using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace CoPe.Experiments.Evaluation;

/// <summary>
/// A prediction or label file of LaMP, LongLaMP and CoPe.
/// <code>{"task": "LaMP_5", "golds": [{"id": "310", "output": "..."}], "model": "..."}</code>
/// </summary>
/// <remarks>
/// A label file is the same without <c>model</c>. The reference calls predictions <c>golds</c> as well, so that its
/// files and ours are of one form.
/// </remarks>
public sealed record PredictionFile
{
    static readonly JsonWriterOptions Writing = new()
    {
        Indented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The benchmark's name of the task, for example <c>LaMP_5</c>.</summary>
    public required string Task { get; init; }

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
        return Read(stream, path);
    }

    /// <summary>Reads a stream, for example an entry of a zip.</summary>
    /// <param name="stream">JSON text in UTF-8 or UTF-16; not closed.</param>
    /// <param name="name">What to call it in errors.</param>
    /// <exception cref="InvalidDataException">It is not JSON of this form, or an id occurs twice.</exception>
    public static PredictionFile Read(Stream stream, string name)
    {
        var copy = new MemoryStream();
        stream.CopyTo(copy);
        copy.Position = 0;
        var isEmpty = copy.Length == 0;
        try
        {
            using var text = TextEncoding.OpenAsUtf8(copy);
            using var document = JsonDocument.Parse(text);
            return PredictionJson.Parse(document.RootElement, name);
        }
        catch (Exception error) when (error is JsonException or DecoderFallbackException)
        {
            var found = isEmpty ? "it is empty." : error.Message;
            throw new InvalidDataException(
                $"{name} is not JSON: {found} "
                    + "Expected {\"task\": ..., \"golds\": [{\"id\": ..., \"output\": ...}]}.",
                error
            );
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
        json.WriteString("task", Task);
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

/// <summary>The elements of a prediction file, with errors that name the place.</summary>
static class PredictionJson
{
    public static PredictionFile Parse(JsonElement root, string name)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw new InvalidDataException(
                $"{name}: found {Kind(root)} at the top, expected an object with 'task' and 'golds'."
            );
        }

        var file = new PredictionFile
        {
            Task = ReadText(root, "task", name),
            Predictions = ReadGolds(root, name),
            Model =
                root.TryGetProperty("model", out var model) && model.ValueKind == JsonValueKind.String
                    ? model.GetString()
                    : null,
        };
        var duplicates = file
            .Predictions.CountBy(prediction => prediction.Id)
            .Where(pair => pair.Value > 1)
            .Select(pair => pair.Key)
            .ToList();
        if (duplicates.Count > 0)
        {
            throw new InvalidDataException(
                $"{name}: {IdList.Format(duplicates, "id")} more than once. "
                    + "An id may have one answer; remove the others."
            );
        }

        return file;
    }

    static List<Prediction> ReadGolds(JsonElement root, string name)
    {
        if (!root.TryGetProperty("golds", out var golds) || golds.ValueKind != JsonValueKind.Array)
        {
            var found = golds.ValueKind == JsonValueKind.Undefined ? "missing" : Kind(golds);
            throw new InvalidDataException($"{name}: 'golds' is {found}, expected an array of {{\"id\", \"output\"}}.");
        }

        var list = new List<Prediction>(golds.GetArrayLength());
        foreach (var gold in golds.EnumerateArray())
        {
            var place = $"{name}, golds[{list.Count}]";
            if (gold.ValueKind != JsonValueKind.Object)
            {
                throw new InvalidDataException(
                    $"{place}: found {Kind(gold)}, expected an object with 'id' and 'output'."
                );
            }

            var id = ReadText(gold, "id", place);
            list.Add(new(id, ReadText(gold, "output", $"{place} (id {id})")));
        }

        return list;
    }

    static string ReadText(JsonElement element, string field, string place)
    {
        if (!element.TryGetProperty(field, out var value))
        {
            throw new InvalidDataException($"{place}: '{field}' is missing, expected a string.");
        }

        return value.ValueKind switch
        {
            JsonValueKind.String => ReadUnicode(value, field, place),
            JsonValueKind.Number => value.GetRawText(),
            _ => throw new InvalidDataException($"{place}: '{field}' is {Kind(value)}, expected a string."),
        };
    }

    static string ReadUnicode(JsonElement value, string field, string place)
    {
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException error)
        {
            throw new InvalidDataException(
                $"{place}: '{field}' has half of a surrogate pair, or bytes that are not UTF-8; expected Unicode text. "
                    + "Correct it, or take the answer out.",
                error
            );
        }
    }

    static string Kind(JsonElement element) =>
        element.ValueKind switch
        {
            JsonValueKind.Null => "null",
            JsonValueKind.True or JsonValueKind.False => "a truth value",
            JsonValueKind.Array => "an array",
            JsonValueKind.Object => "an object",
            JsonValueKind.Number => "a number",
            _ => "a string",
        };
}
