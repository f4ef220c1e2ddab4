using System.Text.Json;

namespace CoPe.Data.Importing;

/// <summary>JSON objects as rows: texts, numbers and truth values are columns, objects and arrays are none.</summary>
static class FlatJson
{
    /// <summary>The objects of an array.</summary>
    public static IEnumerable<ImportRow> Rows(string path)
    {
        using var tokens = new JsonTokenStream(path);
        tokens.Read();
        if (tokens.Type != JsonTokenType.StartArray) throw Odd(new() { File = path }, "an array of objects");
        for (var number = 1; tokens.Read() && tokens.Type != JsonTokenType.EndArray; number++)
        {
            var place = new DataFilePlace { File = path, Item = $"number {number}" };
            if (tokens.Type != JsonTokenType.StartObject) throw Odd(place, "an object");
            yield return new(place, tokens.ReadScalars());
        }
    }

    /// <summary>The columns of a line; null where it was reported as faulty.</summary>
    public static Dictionary<string, string>? Fields(string line, DataFilePlace place, Action<DataFileException> problem)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            if (document.RootElement.ValueKind != JsonValueKind.Object) throw Odd(place, "an object");
            var fields = new Dictionary<string, string>();
            foreach (var property in document.RootElement.EnumerateObject())
                if (Scalar(property.Value) is { } value) fields[property.Name] = value;
            return fields;
        }
        catch (JsonException error)
        {
            problem(new(place, "a line that is no JSON", "an object", "The line is left out: correct it.", error));
        }
        catch (DataFileException error)
        {
            problem(error);
        }

        return null;
    }

    static string? Scalar(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Number => value.GetRawText(),
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        _ => null,
    };

    static DataFileException Odd(DataFilePlace place, string expected) => new(place, "something else", expected, "See docs/data.md for the formats.");
}
