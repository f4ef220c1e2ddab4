using System.Text;
using System.Text.Json;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data.Importing;

/// <summary>
/// JSON objects as rows: texts, numbers, truth values and nulls are columns, objects and arrays are none.
/// </summary>
static class FlatJsonReader
{
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
        using var tokens = new JsonTokenStream(location.File, Encoding.UTF8.GetBytes(line))
        {
            GetLocation = () => location,
            FirstLine = location.Line ?? 1,
        };
        try
        {
            tokens.Read();
            var fields = ParseFields(tokens, location, onProblem);
            if (fields is not null)
            {
                tokens.RequireEnd("the object");
            }

            return fields;
        }
        catch (DataFileException error)
        {
            onProblem(error);
            return null;
        }
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
}
