using System.Text.Json;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data.Importing;

/// <summary>
/// JSON objects as rows: texts, numbers, truth values and nulls are columns, objects and arrays are none.
/// </summary>
static class FlatJsonReader
{
    static readonly JsonDocumentOptions Options = new() { MaxDepth = 1 << 20 };

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
            using var document = JsonDocument.Parse(line, Options);
            return ParseObject(document.RootElement, location);
        }
        catch (JsonException error)
        {
            onProblem(
                new(
                    location,
                    $"no valid JSON at byte {error.BytePositionInLine + 1} of the line",
                    "an object",
                    "The line is left out: correct it.",
                    error
                )
            );
        }
        catch (InvalidOperationException error)
        {
            onProblem(
                new(
                    location,
                    "half of a surrogate pair",
                    "text that is Unicode",
                    "The line is left out: correct it.",
                    error
                )
            );
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
                Describe(root.ValueKind),
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

    static string Describe(JsonValueKind kind)
    {
        var word = $"{kind}".ToLowerInvariant();
        if (word == "null")
        {
            return word;
        }

        var article = word[0] is 'a' or 'o' ? "an" : "a";
        return $"{article} {word}";
    }
}
