using System.Runtime.CompilerServices;
using System.Text.Json;

namespace CoPe.Testing.Schemas;

/// <summary>
/// The part of JSON Schema that docs/schemas uses: type, enum, properties, required, additionalProperties, items,
/// minimum and its like; default and description say nothing of a value.
/// </summary>
public static class JsonSchema
{
    static readonly HashSet<string> Known =
    [
        "$schema",
        "title",
        "description",
        "type",
        "enum",
        "properties",
        "required",
        "additionalProperties",
        "items",
        "minimum",
        "exclusiveMinimum",
        "maximum",
        "exclusiveMaximum",
        "default",
    ];

    static readonly (string Name, Func<double, double, bool> Holds)[] Bounds =
    [
        ("minimum", (value, limit) => value >= limit),
        ("exclusiveMinimum", (value, limit) => value > limit),
        ("maximum", (value, limit) => value <= limit),
        ("exclusiveMaximum", (value, limit) => value < limit),
    ];

    public static string Folder { get; } =
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, "../../../docs/schemas"));

    public static JsonElement Read(string name)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder, name + ".schema.json")));
        return document.RootElement.Clone();
    }

    /// <summary>What of a value the schema does not allow, by place.</summary>
    public static IReadOnlyList<string> Errors(JsonElement value, JsonElement schema, string place = "$")
    {
        var errors = new List<string>();
        foreach (var keyword in schema.EnumerateObject().Where(keyword => !Known.Contains(keyword.Name)))
        {
            errors.Add($"{place}: the schema has the keyword {keyword.Name}, which this check does not know");
        }

        if (schema.TryGetProperty("type", out var type) && !Types(type).Any(name => Is(value, name)))
        {
            return [$"{place}: {value.ValueKind}, expected {type}"];
        }

        if (
            schema.TryGetProperty("enum", out var words)
            && !words.EnumerateArray().Any(word => word.ToString() == value.ToString())
        )
        {
            errors.Add($"{place}: {value}, expected one of {words}");
        }

        if (value.ValueKind == JsonValueKind.Number)
        {
            errors.AddRange(
                Bounds
                    .Where(bound =>
                        schema.TryGetProperty(bound.Name, out var limit)
                        && !bound.Holds(value.GetDouble(), limit.GetDouble())
                    )
                    .Select(bound => $"{place}: {value} is not within the {bound.Name}")
            );
        }

        if (value.ValueKind == JsonValueKind.Object)
        {
            Object(value, schema, place, errors);
        }

        if (value.ValueKind == JsonValueKind.Array && schema.TryGetProperty("items", out var items))
        {
            foreach (var (element, index) in value.EnumerateArray().Select((element, index) => (element, index)))
            {
                errors.AddRange(Errors(element, items, $"{place}[{index}]"));
            }
        }

        return errors;
    }

    static void Object(JsonElement value, JsonElement schema, string place, List<string> errors)
    {
        var properties = schema.TryGetProperty("properties", out var known) ? known : default;
        if (schema.TryGetProperty("required", out var required))
        {
            errors.AddRange(
                required
                    .EnumerateArray()
                    .Where(name => !value.TryGetProperty(name.GetString()!, out _))
                    .Select(name => $"{place}: {name} is missing")
            );
        }

        foreach (var property in value.EnumerateObject())
        {
            var here = $"{place}.{property.Name}";
            if (properties.ValueKind == JsonValueKind.Object && properties.TryGetProperty(property.Name, out var own))
            {
                errors.AddRange(Errors(property.Value, own, here));
            }
            else if (schema.TryGetProperty("additionalProperties", out var more))
            {
                if (more.ValueKind == JsonValueKind.False)
                {
                    errors.Add($"{here} is not in the schema");
                }
                else if (more.ValueKind == JsonValueKind.Object)
                {
                    errors.AddRange(Errors(property.Value, more, here));
                }
            }
        }
    }

    static IEnumerable<string> Types(JsonElement type) =>
        type.ValueKind == JsonValueKind.Array
            ? type.EnumerateArray().Select(name => name.GetString()!)
            : [type.GetString()!];

    static bool Is(JsonElement value, string type) =>
        type switch
        {
            "object" => value.ValueKind == JsonValueKind.Object,
            "array" => value.ValueKind == JsonValueKind.Array,
            "string" => value.ValueKind == JsonValueKind.String,
            "number" => value.ValueKind == JsonValueKind.Number,
            "integer" => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out _),
            "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
            "null" => value.ValueKind == JsonValueKind.Null,
            _ => throw new ArgumentException($"no type {type}"),
        };

    static string ThisFile([CallerFilePath] string path = "") => path;
}
