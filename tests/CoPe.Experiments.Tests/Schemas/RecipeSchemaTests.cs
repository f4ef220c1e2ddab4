using System.Globalization;
using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Settings;
using CoPe.Testing.Schemas;
using CoPe.Training;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace CoPe.Experiments.Tests.Schemas;

/// <summary>
/// The schema of recipes is what the records say: keys, types, ranges, defaults and their documentation. With
/// COPE_ACCEPT=1 it is rewritten instead.
/// </summary>
public sealed partial class RecipeSchemaTests
{
    static readonly JsonSerializerOptions Layout = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Of both libraries: a section of a recipe may be an options record of the one below.</summary>
    static readonly IReadOnlyList<XDocument> Documentation =
    [
        .. new[] { typeof(Recipe), typeof(TrainingOptions) }.Select(type =>
            XDocument.Load(Path.ChangeExtension(type.Assembly.Location, ".xml"))
        ),
    ];

    [Fact]
    public void The_schema_of_recipes_is_what_the_records_say()
    {
        var schema = new JsonObject
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["title"] = "A recipe (YAML)",
        };
        foreach (
            var (key, value) in Section(new Recipe(), "The one configuration of a run; every key may be left out.")
                .ToList()
        )
        {
            schema[key] = value!.DeepClone();
        }

        var file = Path.Combine(JsonSchema.Folder, "recipe.schema.json");
        if (Environment.GetEnvironmentVariable("COPE_ACCEPT") is "1")
        {
            File.WriteAllText(file, schema.ToJsonString(Layout) + "\n");
        }

        Assert.Equal(schema.ToJsonString(Layout) + "\n", File.ReadAllText(file));
    }

    public static TheoryData<string> Recipes =>
        [
            .. Directory
                .EnumerateFiles(Path.Combine(JsonSchema.Folder, "../../recipes"), "*.yaml")
                .Select(file => Path.GetFileName(file)!)
                .Order(StringComparer.Ordinal),
        ];

    [Theory]
    [MemberData(nameof(Recipes))]
    public void A_shipped_recipe_fits_the_schema_as_it_is_and_with_every_value_written_out(string name)
    {
        var path = Path.Combine(JsonSchema.Folder, "../../recipes", name);
        Assert.Empty(Errors(File.ReadAllText(path)));
        Assert.Empty(Errors(SettingsFile.ToYaml(SettingsFile.Read<Recipe>(path, []))));
    }

    [Theory]
    [InlineData("dpo: { beta: 0 }", "$.dpo.beta")]
    [InlineData("sft: { epoch: 2 }", "$.sft.epoch is not in the schema")]
    [InlineData("predict: [copy]", "$.predict[0]")]
    [InlineData("seed: many", "$.seed")]
    [InlineData("model_dtype: fp8", "$.model_dtype")]
    public void What_a_run_would_refuse_does_not_fit(string yaml, string place)
    {
        Assert.Contains(place, Assert.Single(Errors(yaml)), StringComparison.Ordinal);
        Assert.Throws<SettingsException>(() =>
            RecipeValidation.CheckFile(
                SettingsFile.Parse<Recipe>("task: news_headline\n" + yaml, "x.yaml", []),
                "x.yaml",
                []
            )
        );
    }

    static JsonObject Section(object settings, string description)
    {
        var properties = new JsonObject();
        var all = SettingsSchema.GetProperties(settings.GetType());
        foreach (var (key, property) in all.Where(pair => !pair.Key.Contains('.', StringComparison.Ordinal)))
        {
            if (SettingsSchema.GetSubkeys(settings.GetType(), key) is { Count: > 0 } subkeys)
            {
                properties[key] = ValueOrSection(settings, key, subkeys);
                continue;
            }

            properties[key] = property.IsSection
                ? Section(property.GetValue(settings)!, Described(property.Property))
                : Leaf(property, property.GetValue(settings));
        }

        return new()
        {
            ["description"] = description,
            ["type"] = "object",
            ["properties"] = properties,
            ["additionalProperties"] = false,
        };
    }

    /// <summary>A value, or a section of the value and the keys below it.</summary>
    static JsonObject ValueOrSection(object settings, string key, IReadOnlyList<string> subkeys)
    {
        var all = SettingsSchema.GetProperties(settings.GetType());
        JsonObject LeafOf(string name) => Leaf(all[name], all[name].GetValue(settings));
        var value = LeafOf(key);
        value["type"]!.AsArray().Add("object");
        value["properties"] = new JsonObject(
            subkeys
                .Select(sub => KeyValuePair.Create(sub[(key.Length + 1)..], (JsonNode?)LeafOf(sub)))
                .Prepend(new(SettingsSchema.ValueKey, LeafOf(key)))
        );
        value["additionalProperties"] = false;
        return value;
    }

    static JsonObject Leaf(SettingProperty property, object? value)
    {
        var type = Nullable.GetUnderlyingType(property.Type) ?? property.Type;
        var isNullable = property.IsNullable;
        var leaf = new JsonObject { ["description"] = Described(property.Property) };
        if (type.IsEnum)
        {
            leaf["enum"] = new JsonArray([
                .. SettingsSchema.GetEnumNames(type).Select(word => (JsonNode?)word),
                .. isNullable ? (JsonNode?[])[null] : [],
            ]);
        }
        else if (type == typeof(IReadOnlyList<string>))
        {
            (leaf["type"], leaf["items"]) = (
                isNullable ? new JsonArray("array", "null") : "array",
                property.Property.Name == nameof(Recipe.Predict)
                    ? new JsonObject
                    {
                        ["enum"] = new JsonArray([.. PredictionMethod.All.Select(method => (JsonNode?)method.Name)]),
                    }
                    : new JsonObject { ["type"] = "string" }
            );
        }
        else
        {
            var name =
                type == typeof(string) ? "string"
                : type == typeof(bool) ? "boolean"
                : type == typeof(double) ? "number"
                : "integer";
            leaf["type"] = isNullable ? new JsonArray(name, "null") : name;
        }

        if (property.Range is { } range)
        {
            leaf[range.MinimumIsExclusive ? "exclusiveMinimum" : "minimum"] = Number(range.Minimum);
            if (Convert.ToDouble(range.Maximum, CultureInfo.InvariantCulture) < int.MaxValue)
            {
                leaf[range.MaximumIsExclusive ? "exclusiveMaximum" : "maximum"] = Number(range.Maximum);
            }
        }

        leaf["default"] = value switch
        {
            null => null,
            Enum word => SettingsSchema.GetEnumName(word),
            _ => JsonSerializer.SerializeToNode(value, value.GetType()),
        };
        return leaf;
    }

    static JsonNode Number(object value) =>
        value is double number && number != Math.Floor(number)
            ? number
            : Convert.ToInt64(value, CultureInfo.InvariantCulture);

    /// <summary>What the code says of a key, without its markup.</summary>
    static string Described(PropertyInfo property)
    {
        var member = $"P:{property.DeclaringType!.FullName}.{property.Name}";
        var summary = Documentation
            .SelectMany(document => document.Descendants("member"))
            .First(found => found.Attribute("name")!.Value == member)
            .Element("summary")!;
        foreach (
            var reference in summary.Descendants().Where(element => element.Attribute("cref") is not null).ToList()
        )
        {
            reference.ReplaceWith(reference.Attribute("cref")!.Value.Split('.', ':')[^1]);
        }

        return Blanks().Replace(summary.Value, " ").Trim();
    }

    static IReadOnlyList<string> Errors(string yaml)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(yaml));
        using var json = JsonDocument.Parse(Json(stream.Documents[0].RootNode)!.ToJsonString());
        return JsonSchema.Errors(json.RootElement, JsonSchema.Read("recipe"));
    }

    static JsonNode? Json(YamlNode node) =>
        node switch
        {
            YamlMappingNode mapping => new JsonObject(
                mapping.Children.Select(pair =>
                    KeyValuePair.Create(((YamlScalarNode)pair.Key).Value!, Json(pair.Value))
                )
            ),
            YamlSequenceNode list => new JsonArray([.. list.Children.Select(Json)]),
            YamlScalarNode { Style: not ScalarStyle.Plain } quoted => quoted.Value,
            YamlScalarNode { Value: "null" or "~" or "" or null } => null,
            YamlScalarNode { Value: "true" or "false" } truth => truth.Value == "true",
            YamlScalarNode scalar
                when long.TryParse(
                    scalar.Value,
                    NumberStyles.AllowLeadingSign,
                    CultureInfo.InvariantCulture,
                    out var whole
                ) => whole,
            YamlScalarNode scalar
                when double.TryParse(scalar.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) =>
                number,
            YamlScalarNode scalar => scalar.Value,
            _ => throw new ArgumentException($"a {node.NodeType}"),
        };

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();
}
