using System.Text;
using System.Text.Json;
using CoPe.Experiments.Tasks;
using CoPe.Json;

namespace CoPe.Experiments.Data.Importing;

/// <summary>
/// JSON objects as rows: texts, numbers, truth values and nulls are columns, objects and arrays are none.
/// </summary>
static class FlatJsonReader
{
    /// <summary>What is nested is no column. A line's time grows with the square of its depth.</summary>
    static readonly StrictJsonOptions Options = StrictJsonOptions.Python with
    {
        MaxDepth = 512,
        AllowsDuplicateKeys = true,
    };

    /// <summary>The objects of an array; an entry that cannot be read is reported and skipped.</summary>
    public static IEnumerable<ImportRow> ReadRows(string path, ImportListener listener)
    {
        var location = new DataFileLocation { File = path };
        using var tokens = new JsonTokenStream(path) { GetLocation = () => location };
        tokens.Read();
        if (tokens.TokenType != JsonTokenType.StartArray)
        {
            throw new DataFileException(
                location,
                tokens.DescribeToken(),
                "an array of objects",
                "A file of one object a line is to be named .jsonl; docs/data.md describes the formats."
            );
        }

        for (var number = 1; tokens.Read() && tokens.TokenType != JsonTokenType.EndArray; number++)
        {
            location = new() { File = path, Item = $"number {number}" };
            if (ParseFields(tokens, location, listener.OnProblem) is { } fields)
            {
                yield return new(location, fields);
            }

            listener.Progress.ReportRead(ImportListener.StageName, path, tokens.BytesRead, tokens.Length);
        }

        tokens.RequireEnd("the array of objects");
    }

    /// <summary>The columns of a line; null where it was reported as faulty.</summary>
    public static Dictionary<string, string?>? ParseFields(
        string line,
        DataFileLocation location,
        Action<DataFileException> onProblem
    )
    {
        try
        {
            var options = Options with { FirstLine = location.Line ?? 1 };
            return ParseObject(StrictJson.Parse(Encoding.UTF8.GetBytes(line), options), location);
        }
        catch (InvalidJsonException error)
        {
            onProblem(new(location, error.Message, "a JSON object", "The line is left out: correct it.", error));
        }
        catch (DataFileException error)
        {
            onProblem(error);
        }

        return null;
    }

    static Dictionary<string, string?> ParseObject(JsonElement root, DataFileLocation location)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw new DataFileException(
                location,
                root.Describe(),
                "an object",
                "The line is left out: put one object on each line."
            );
        }

        var fields = new Dictionary<string, string?>();
        foreach (var property in root.EnumerateObject())
        {
            if (property.Value.ValueKind is JsonValueKind.Object or JsonValueKind.Array)
            {
                continue;
            }

            if (!fields.TryAdd(property.Name, ToText(property.Value)))
            {
                throw new DataFileException(
                    location with
                    {
                        Field = property.Name,
                    },
                    "the field twice",
                    "each field once",
                    "The line is left out: take out one of them."
                );
            }
        }

        return fields;
    }

    static Dictionary<string, string?>? ParseFields(
        JsonTokenStream tokens,
        DataFileLocation location,
        Action<DataFileException> onProblem
    )
    {
        var depth = tokens.Depth;
        try
        {
            if (tokens.TokenType == JsonTokenType.StartObject)
            {
                return tokens.ReadScalars();
            }

            throw new DataFileException(
                location,
                tokens.DescribeToken(),
                "an object",
                "The entry is left out: put an object in its place."
            );
        }
        catch (DataFileException error) when (!tokens.IsBroken)
        {
            tokens.SkipToEndOfDepth(depth);
            onProblem(error);
            return null;
        }
    }

    static string? ToText(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.String => value.GetString(),
            JsonValueKind.Number => value.GetRawText(),
            JsonValueKind.True => "true",
            JsonValueKind.False => "false",
            _ => null,
        };
}
