using System.Text.Json;

namespace CoPe.Evaluation;

/// <summary>The elements of a prediction file, with errors that name the place.</summary>
static class PredictionJson
{
    public static PredictionFile Parse(JsonElement root, string name)
    {
        if (root.ValueKind != JsonValueKind.Object)
            throw new InvalidDataException($"{name}: found {Kind(root)} at the top, expected an object with 'task' and 'golds'.");
        var file = new PredictionFile
        {
            Task = Text(root, "task", name),
            Predictions = Golds(root, name),
            Model = root.TryGetProperty("model", out var model) && model.ValueKind == JsonValueKind.String ? model.GetString() : null,
        };
        var twice = file.Predictions.CountBy(prediction => prediction.Id).Where(pair => pair.Value > 1).Select(pair => pair.Key).ToList();
        return twice.Count == 0 ? file
            : throw new InvalidDataException($"{name}: {IdList.Of(twice, "id")} more than once. An id may have one answer; remove the others.");
    }

    static List<Prediction> Golds(JsonElement root, string name)
    {
        if (!root.TryGetProperty("golds", out var golds) || golds.ValueKind != JsonValueKind.Array)
            throw new InvalidDataException($"{name}: 'golds' is {(golds.ValueKind == JsonValueKind.Undefined ? "missing" : Kind(golds))}, expected an array of {{\"id\", \"output\"}}.");
        var list = new List<Prediction>(golds.GetArrayLength());
        foreach (var gold in golds.EnumerateArray())
        {
            var place = $"{name}, golds[{list.Count}]";
            if (gold.ValueKind != JsonValueKind.Object)
                throw new InvalidDataException($"{place}: found {Kind(gold)}, expected an object with 'id' and 'output'.");
            var id = Text(gold, "id", place);
            list.Add(new(id, Text(gold, "output", $"{place} (id {id})")));
        }
        return list;
    }

    static string Text(JsonElement element, string field, string place)
    {
        if (!element.TryGetProperty(field, out var value)) throw new InvalidDataException($"{place}: '{field}' is missing, expected a string.");
        return value.ValueKind switch
        {
            JsonValueKind.String => Unicode(value, field, place),
            JsonValueKind.Number => value.GetRawText(),
            _ => throw new InvalidDataException($"{place}: '{field}' is {Kind(value)}, expected a string."),
        };
    }

    static string Unicode(JsonElement value, string field, string place)
    {
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException error)
        {
            throw new InvalidDataException($"{place}: '{field}' has half of a surrogate pair, or bytes that are not UTF-8; expected Unicode text. Correct it, or take the answer out.", error);
        }
    }

    static string Kind(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Null => "null",
        JsonValueKind.True or JsonValueKind.False => "a truth value",
        JsonValueKind.Array => "an array",
        JsonValueKind.Object => "an object",
        JsonValueKind.Number => "a number",
        _ => "a string",
    };
}
