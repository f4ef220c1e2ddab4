using System.Text.Json;
using CoPe.Json;

namespace CoPe.Experiments.Evaluation;

/// <summary>The elements of a prediction file, with errors that name the place.</summary>
static class PredictionJson
{
    /// <summary>
    /// Reads an object with <c>task</c> and <c>golds</c>, an array of answers, or an answer per line.
    /// </summary>
    public static PredictionFile Read(byte[] text, string name)
    {
        var file = StartsWithAnswer(text) ? ReadLines(text, name) : ReadDocument(text, name);
        var duplicates = file
            .Predictions.CountBy(prediction => prediction.Id)
            .Where(pair => pair.Value > 1)
            .Select(pair => pair.Key)
            .ToList();
        if (duplicates.Count > 0)
        {
            throw CreateError(
                name,
                $"{IdList.Format(duplicates, "id")} more than once. An id may have one answer; remove the others."
            );
        }

        return file;
    }

    public static InvalidDataException CreateUnreadableError(string place, string found, Exception? inner) =>
        new(
            MessageText.ToOneLine(
                $"{place}: {found}. Expected {{\"task\": ..., \"golds\": [{{\"id\": ..., \"output\": ...}}]}}, "
                    + "an array of {\"id\", \"output\"}, or one of these a line."
            ),
            inner
        );

    /// <summary>Whether the first line is an object with an id, and so an answer itself.</summary>
    static bool StartsWithAnswer(byte[] text)
    {
        try
        {
            var first = EnumerateLines(text).FirstOrDefault();
            return StrictJson.Parse(first.Text.Span, StrictJsonOptions.Python).Find("id") is not null;
        }
        catch (InvalidJsonException)
        {
            return false; // What is wrong with it is said where it is read.
        }
    }

    static PredictionFile ReadLines(byte[] text, string name)
    {
        var answers = new List<Prediction>();
        foreach (var line in EnumerateLines(text))
        {
            var answer = ParseJson(line.Text, name, StrictJsonOptions.Python with { FirstLine = line.Number });
            answers.Add(ReadAnswer(answer, $"{name}, line {line.Number}"));
        }

        return new() { Task = null, Predictions = answers };
    }

    static IEnumerable<ByteLine> EnumerateLines(byte[] text)
    {
        using var stream = new MemoryStream(text);
        foreach (var line in new ByteLines(stream, takesUnfinished: true).Read())
        {
            if (line.Text.Span.ContainsAnyExcept(" \t\r"u8))
            {
                yield return line;
            }
        }
    }

    static PredictionFile ReadDocument(byte[] text, string name)
    {
        var root = ParseJson(text, name, StrictJsonOptions.Python);
        if (root.ValueKind == JsonValueKind.Array)
        {
            return new() { Task = null, Predictions = ReadAnswers(root, $"{name}, ") };
        }

        if (root.ValueKind != JsonValueKind.Object)
        {
            throw CreateError(
                name,
                $"found {root.Describe()} at the top, "
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

    static JsonElement ParseJson(ReadOnlyMemory<byte> text, string name, StrictJsonOptions options)
    {
        try
        {
            return StrictJson.Parse(text.Span, options);
        }
        catch (InvalidJsonException error)
        {
            throw CreateUnreadableError(name, text.IsEmpty ? "it is empty" : error.Message, error);
        }
    }

    static List<Prediction> ReadGolds(JsonElement root, string name)
    {
        if (!root.TryGetProperty("golds", out var golds) || golds.ValueKind != JsonValueKind.Array)
        {
            var found = golds.ValueKind == JsonValueKind.Undefined ? "missing" : golds.Describe();
            throw CreateError(name, $"'golds' is {found}, expected an array of {{\"id\", \"output\"}}.");
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
            throw CreateError(place, $"found {answer.Describe()}, expected an object with 'id' and 'output'.");
        }

        var id = ReadText(answer, "id", place);
        return new(id, ReadText(answer, "output", $"{place} (id {id})"));
    }

    static string ReadText(JsonElement element, string field, string place)
    {
        if (!element.TryGetProperty(field, out var value))
        {
            throw CreateError($"'{field}' is missing, expected a string.");
        }

        return value.ValueKind switch
        {
            JsonValueKind.String => value.GetString()!,
            JsonValueKind.Number when double.IsFinite(value.GetDouble()) => value.GetRawText(),
            JsonValueKind.Number => throw CreateError($"'{field}' is a number out of range, expected a string."),
            JsonValueKind.Null => throw CreateError($"'{field}' is null or NaN, expected a string."),
            _ => throw CreateError($"'{field}' is {value.Describe()}, expected a string."),
        };

        InvalidDataException CreateError(string problem) => PredictionJson.CreateError(place, problem);
    }

    static InvalidDataException CreateError(string place, string problem) =>
        new(MessageText.ToOneLine($"{place}: {problem}"));
}
