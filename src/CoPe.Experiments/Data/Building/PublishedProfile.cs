using System.Globalization;
using System.Text;
using System.Text.Json;
using CoPe.Json;

namespace CoPe.Experiments.Data.Building;

/// <summary>
/// The profile of an example in any of the shapes that published files have it: a list of objects, an object of lists
/// (as the hub's <c>datasets</c> stores a list of objects), or either as JSON text.
/// </summary>
/// <param name="Items">The items, null for one that is no object.</param>
/// <param name="Fault">What stands there instead; null where it is one of these.</param>
sealed record PublishedProfile(IReadOnlyList<Dictionary<string, string?>?> Items, string? Fault = null)
{
    /// <summary>What was expected, in words.</summary>
    public const string Expected = "a list of objects, an object of lists, or one of these as JSON text";

    /// <summary>Something else, in words.</summary>
    public static PublishedProfile CreateFaulty(string fault) => new([], fault);

    /// <summary>From an object of lists: the n-th item has the n-th value of each.</summary>
    /// <param name="columns">The lists by field; null for what is no list.</param>
    public static PublishedProfile FromColumns(IReadOnlyDictionary<string, IReadOnlyList<string?>?> columns)
    {
        if (columns.Where(column => column.Value is null).Select(column => column.Key).FirstOrDefault() is { } single)
        {
            return CreateFaulty($"one object, whose {single} is no list");
        }

        var lengths = columns.Select(column => column.Value!.Count).Distinct().ToList();
        if (lengths.Count > 1)
        {
            var sizes = columns.Select(column => $"{column.Value!.Count} of {column.Key}");
            return CreateFaulty($"an object of lists that differ in length: {string.Join(", ", sizes)}");
        }

        var count = lengths.FirstOrDefault();
        return new([
            .. Enumerable
                .Range(0, count)
                .Select(i => columns.ToDictionary(column => column.Key, column => column.Value![i])),
        ]);
    }

    /// <summary>From a text that should be JSON.</summary>
    public static PublishedProfile FromText(string text)
    {
        try
        {
            return FromJson(StrictJson.Parse(Encoding.UTF8.GetBytes(text), StrictJsonOptions.Python));
        }
        catch (InvalidJsonException error)
        {
            return CreateFaulty($"a text of {text.Length} characters that is no JSON ({error.Message})");
        }
    }

    /// <summary>From bytes that should be JSON text.</summary>
    public static PublishedProfile FromBytes(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return FromJson(StrictJson.Parse(bytes, StrictJsonOptions.Python));
        }
        catch (InvalidJsonException)
        {
            var length = bytes.Length.ToString("#,0", CultureInfo.InvariantCulture);
            return CreateFaulty($"binary data of {length} bytes that are no JSON text");
        }
    }

    static PublishedProfile FromJson(JsonElement profile) =>
        profile.ValueKind switch
        {
            JsonValueKind.Array => new([.. profile.EnumerateArray().Select(ReadItem)]),
            JsonValueKind.Object => FromColumns(
                profile
                    .EnumerateObject()
                    .ToDictionary(
                        column => column.Name,
                        column =>
                            column.Value.ValueKind == JsonValueKind.Array
                                ? (IReadOnlyList<string?>)[.. column.Value.EnumerateArray().Select(ReadScalar)]
                                : null
                    )
            ),
            _ => CreateFaulty($"JSON text that holds {profile.Describe()}"),
        };

    /// <summary>An item may be JSON text in its turn.</summary>
    static Dictionary<string, string?>? ReadItem(JsonElement item) =>
        item.ValueKind switch
        {
            JsonValueKind.Object => item.EnumerateObject()
                .Where(field => field.Value.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array))
                .ToDictionary(field => field.Name, field => ReadScalar(field.Value)),
            JsonValueKind.String => ReadItem(item.GetString()!),
            _ => null,
        };

    /// <summary>An item that is JSON text; null where it is no object.</summary>
    public static Dictionary<string, string?>? ReadItem(string text)
    {
        try
        {
            var item = StrictJson.Parse(Encoding.UTF8.GetBytes(text), StrictJsonOptions.Python);
            return item.ValueKind == JsonValueKind.Object ? ReadItem(item) : null;
        }
        catch (InvalidJsonException)
        {
            return null;
        }
    }

    static string? ReadScalar(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.String => value.GetString(),
            JsonValueKind.Number => value.GetRawText(),
            JsonValueKind.True => "true",
            JsonValueKind.False => "false",
            _ => null,
        };
}
