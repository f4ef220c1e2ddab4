using System.Text.Json;

namespace CoPe.Experiments.Evaluation;

/// <summary>The elements of a prediction file, with errors that name the place.</summary>
static class PredictionJson
{
    const byte NewLine = (byte)'\n';

    static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    /// <summary>
    /// Reads an object with <c>task</c> and <c>golds</c>, an array of answers, or an answer per line.
    /// </summary>
    public static PredictionFile Read(ReadOnlyMemory<byte> text, string name)
    {
        if (text.Span.StartsWith(ByteOrderMark))
        {
            text = text[ByteOrderMark.Length..];
        }

        var file = StartsWithAnswer(text.Span) ? ReadLines(text, name) : ReadDocument(text, name);
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

    public static InvalidDataException CreateNoJsonError(string place, string found, Exception? inner) =>
        new(
            $"{place} is not JSON: {found} Expected {{\"task\": ..., \"golds\": [{{\"id\": ..., \"output\": ...}}]}}, "
                + "an array of {\"id\", \"output\"}, or one of these a line.",
            inner
        );

    /// <summary>Whether the text begins with an object that has an id, and so is an answer itself.</summary>
    static bool StartsWithAnswer(ReadOnlySpan<byte> text)
    {
        var reader = new Utf8JsonReader(text, new() { AllowMultipleValues = true });
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return false;
            }

            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("id"))
                {
                    return true;
                }

                reader.Skip();
            }
        }
        catch (JsonException)
        {
            // What is wrong with it is said where it is read.
        }

        return false;
    }

    static PredictionFile ReadLines(ReadOnlyMemory<byte> text, string name)
    {
        var answers = new List<Prediction>();
        for (var number = 1; text.Length > 0; number++)
        {
            var end = text.Span.IndexOf(NewLine);
            var line = end < 0 ? text : text[..end];
            text = end < 0 ? default : text[(end + 1)..];
            if (line.Span.ContainsAnyExcept(" \t\r"u8))
            {
                var place = $"{name}, line {number}";
                using var document = ParseJson(line, place);
                answers.Add(ReadAnswer(document.RootElement, place));
            }
        }

        return new() { Task = null, Predictions = answers };
    }

    static PredictionFile ReadDocument(ReadOnlyMemory<byte> text, string name)
    {
        using var document = ParseJson(text, name);
        var root = document.RootElement;
        if (root.ValueKind == JsonValueKind.Array)
        {
            return new() { Task = null, Predictions = ReadAnswers(root, $"{name}, ") };
        }

        if (root.ValueKind != JsonValueKind.Object)
        {
            throw new InvalidDataException(
                $"{name}: found {Kind(root)} at the top, "
                    + "expected an object with 'task' and 'golds', or an array of {\"id\", \"output\"}."
            );
        }

        return new()
        {
            Task = ReadText(root, "task", name),
            Predictions = ReadGolds(root, name),
            Model =
                root.TryGetProperty("model", out var model) && model.ValueKind == JsonValueKind.String
                    ? model.GetString()
                    : null,
        };
    }

    static JsonDocument ParseJson(ReadOnlyMemory<byte> text, string place)
    {
        try
        {
            return JsonDocument.Parse(text);
        }
        catch (JsonException error)
        {
            throw CreateNoJsonError(place, text.IsEmpty ? "it is empty." : error.Message, error);
        }
    }

    static List<Prediction> ReadGolds(JsonElement root, string name)
    {
        if (!root.TryGetProperty("golds", out var golds) || golds.ValueKind != JsonValueKind.Array)
        {
            var found = golds.ValueKind == JsonValueKind.Undefined ? "missing" : Kind(golds);
            throw new InvalidDataException($"{name}: 'golds' is {found}, expected an array of {{\"id\", \"output\"}}.");
        }

        return ReadAnswers(golds, $"{name}, golds");
    }

    static List<Prediction> ReadAnswers(JsonElement array, string place)
    {
        var list = new List<Prediction>(array.GetArrayLength());
        foreach (var answer in array.EnumerateArray())
        {
            list.Add(ReadAnswer(answer, $"{place}[{list.Count}]"));
        }

        return list;
    }

    static Prediction ReadAnswer(JsonElement answer, string place)
    {
        if (answer.ValueKind != JsonValueKind.Object)
        {
            throw new InvalidDataException(
                $"{place}: found {Kind(answer)}, expected an object with 'id' and 'output'."
            );
        }

        var id = ReadText(answer, "id", place);
        return new(id, ReadText(answer, "output", $"{place} (id {id})"));
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
