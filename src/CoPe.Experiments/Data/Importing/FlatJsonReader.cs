using System.Text.Json;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data.Importing;

/// <summary>
/// JSON objects as rows: texts, numbers, truth values and nulls are columns, objects and arrays are none.
/// </summary>
static class FlatJsonReader
{
    static readonly JsonDocumentOptions Options = new() { MaxDepth = 1 << 20 };

    /// <summary>The objects of an array; what cannot be read of it is reported, and the rest read.</summary>
    public static IEnumerable<ImportRow> ReadRows(string path, ImportListener watch)
    {
        var place = new DataFileLocation { File = path };
        using var tokens = new JsonTokenStream(path) { GetLocation = () => place };
        tokens.Read();
        if (tokens.TokenType != JsonTokenType.StartArray)
        {
            throw new DataFileException(
                place,
                tokens.DescribeToken(),
                "an array of objects",
                "A file of one object a line is to be named .jsonl; docs/data.md describes the formats."
            );
        }

        for (var number = 1; tokens.Read() && tokens.TokenType != JsonTokenType.EndArray; number++)
        {
            place = new() { File = path, Item = $"number {number}" };
            if (ParseFields(tokens, place, watch.OnProblem) is { } fields)
            {
                yield return new(place, fields);
            }

            watch.Progress.ReportRead(ImportListener.StageName, path, tokens.BytesRead, tokens.Length);
        }

        tokens.RequireEnd("the array of objects");
    }

    /// <summary>The columns of a line; null where it was reported as faulty.</summary>
    public static Dictionary<string, string?>? ParseFields(
        string line,
        DataFileLocation place,
        Action<DataFileException> problem
    )
    {
        try
        {
            using var document = JsonDocument.Parse(line, Options);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                throw Odd(
                    place,
                    Described($"{document.RootElement.ValueKind}"),
                    "an object",
                    "The line is left out: put one object on each line."
                );
            }

            var fields = new Dictionary<string, string?>();
            foreach (
                var property in document
                    .RootElement.EnumerateObject()
                    .Where(property => property.Value.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array))
            )
            {
                if (!fields.TryAdd(property.Name, Scalar(property.Value)))
                {
                    throw Odd(
                        place with
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
        catch (JsonException error)
        {
            problem(
                new(
                    place,
                    $"no valid JSON at byte {error.BytePositionInLine + 1} of the line",
                    "an object",
                    "The line is left out: correct it.",
                    error
                )
            );
        }
        catch (InvalidOperationException error)
        {
            problem(
                new(
                    place,
                    "half of a surrogate pair",
                    "text that is Unicode",
                    "The line is left out: correct it.",
                    error
                )
            );
        }
        catch (DataFileException error)
        {
            problem(error);
        }

        return null;
    }

    static Dictionary<string, string?>? ParseFields(
        JsonTokenStream tokens,
        DataFileLocation place,
        Action<DataFileException> problem
    )
    {
        var depth = tokens.Depth;
        try
        {
            return tokens.TokenType == JsonTokenType.StartObject
                ? tokens.ReadScalars()
                : throw Odd(
                    place,
                    tokens.DescribeToken(),
                    "an object",
                    "The entry is left out: put an object in its place."
                );
        }
        catch (DataFileException error) when (!tokens.IsBroken)
        {
            tokens.SkipToEndOfDepth(depth);
            problem(error);
            return null;
        }
    }

    static string? Scalar(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.String => value.GetString(),
            JsonValueKind.Number => value.GetRawText(),
            JsonValueKind.True => "true",
            JsonValueKind.False => "false",
            _ => null,
        };

    static string Described(string kind)
    {
        var word = kind.ToLowerInvariant();
        return word == "null" ? word : $"{(word[0] is 'a' or 'o' ? "an" : "a")} {word}";
    }

    static DataFileException Odd(DataFileLocation place, string found, string expected, string advice) =>
        new(place, found, expected, advice);
}
