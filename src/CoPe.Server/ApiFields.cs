using System.Text.Json;
using CoPe.Json;
using Microsoft.AspNetCore.Http;

namespace CoPe.Server;

/// <summary>
/// The fields of a request's body. Each is read by its kind; one that nobody has read is an error, for what cannot be
/// done is never left out in silence.
/// </summary>
sealed class ApiFields
{
    /// <summary>Fields that clients send and that change nothing here.</summary>
    static readonly string[] Indifferent =
    [
        "metadata",
        "store",
        "service_tier",
        "safety_identifier",
        "prompt_cache_key",
        "parallel_tool_calls",
    ];

    readonly JsonElement _body;
    readonly string _prefix;
    readonly HashSet<string> _read = new(Indifferent, StringComparer.Ordinal);

    public ApiFields(JsonElement body, string prefix = "")
    {
        (_body, _prefix) = (body, prefix);
        if (body.ValueKind != JsonValueKind.Object)
        {
            throw ApiException.Invalid(
                $"{(prefix.Length == 0 ? "The body" : prefix)} is no object; expected one of JSON.",
                prefix.Length == 0 ? null : prefix
            );
        }
    }

    /// <summary>Reads a request's body.</summary>
    /// <exception cref="ApiException">It is not one object of JSON.</exception>
    /// <exception cref="BadHttpRequestException">It is too large.</exception>
    public static async Task<ApiFields> ReadAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted).ConfigureAwait(false);
        try
        {
            return new ApiFields(StrictJson.Parse(body.GetBuffer().AsSpan(0, (int)body.Length)));
        }
        catch (InvalidJsonException error)
        {
            throw ApiException.Invalid($"The body is not JSON: {error.Message}", null);
        }
    }

    /// <summary>A field's value; null where it is missing or null.</summary>
    public JsonElement? Find(string name)
    {
        _read.Add(name);
        return _body.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }

    public string? FindString(string name) =>
        Find(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.String ? value.GetString()
        : throw Wrong(name, "a string");

    public string RequireString(string name) => FindString(name) ?? throw Wrong(name, "a string");

    public double? FindNumber(string name) =>
        Find(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.Number ? value.GetDouble()
        : throw Wrong(name, "a number");

    public long? FindInteger(string name, long least, long most)
    {
        if (Find(name) is not { } value)
        {
            return null;
        }

        var isWhole = value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out _);
        return isWhole && value.GetInt64() is var found && found >= least && found <= most
            ? found
            : throw Wrong(name, $"a whole number of {least} to {most}");
    }

    public bool FindFlag(string name) =>
        Find(name) is { } value
        && (
            value.ValueKind is JsonValueKind.True or JsonValueKind.False
                ? value.GetBoolean()
                : throw Wrong(name, "true or false")
        );

    /// <summary>Elements of a list; null where the field is missing.</summary>
    public IReadOnlyList<JsonElement>? FindList(string name) =>
        Find(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()]
        : throw Wrong(name, "a list");

    public ApiFields? FindObject(string name) =>
        Find(name) is { } value ? new ApiFields(value, _prefix.Length == 0 ? name : $"{_prefix}.{name}") : null;

    /// <summary>Refuses what nobody has read, unless it asks for nothing.</summary>
    public void RefuseUnread()
    {
        foreach (var field in _body.EnumerateObject())
        {
            if (!_read.Contains(field.Name) && AsksForSomething(field.Value))
            {
                throw ApiException.Invalid(
                    $"'{MessageText.Shorten(MessageText.ToOneLine(field.Name), 60)}' is not supported; leave it out.",
                    Name(field.Name)
                );
            }
        }
    }

    static bool AsksForSomething(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.Null or JsonValueKind.False => false,
            JsonValueKind.Array => value.GetArrayLength() > 0,
            JsonValueKind.String => value.GetString() is not ("" or "none" or "auto"),
            _ => true,
        };

    /// <summary>The error for a field that is not what it should be.</summary>
    public ApiException Wrong(string name, string expected) =>
        ApiException.Invalid($"'{Name(name)}' is missing or wrong; expected {expected}.", Name(name));

    string Name(string name) => _prefix.Length == 0 ? name : $"{_prefix}.{name}";
}
