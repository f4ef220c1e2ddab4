using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using YamlDotNet.RepresentationModel;

namespace CoPe.Experiments.Settings;

/// <summary>
/// Puts the values of a YAML mapping over the settings of a <paramref name="root"/> record, checking key, type and
/// range of each; <paramref name="where"/> names a node's place.
/// </summary>
sealed class SettingsBinder(object root, Func<YamlNode, string> where)
{
    /// <summary>A copy of the root with the mapping's values.</summary>
    public object Bind(YamlMappingNode mapping) => Bind(root, mapping, "");

    object Bind(object settings, YamlMappingNode mapping, string prefix)
    {
        var copy = SettingsSchema.Clone(settings);
        foreach (var (keyNode, value) in mapping.Children)
        {
            var key =
                (keyNode as YamlScalarNode)?.Value
                ?? throw new SettingsException($"{where(keyNode)}: expected a key, found {Describe(keyNode)}");
            if (!SettingsSchema.GetProperties(settings.GetType()).TryGetValue(key, out var property))
            {
                throw CreateUnknownKeyError(settings.GetType(), keyNode, prefix, key);
            }

            property.SetValue(copy, ReadValue(property, property.GetValue(settings), value, prefix + key));
        }

        return copy;
    }

    /// <summary>A node in words.</summary>
    public static string Describe(YamlNode node) =>
        node switch
        {
            YamlScalarNode scalar => $"'{scalar.Value}'",
            YamlSequenceNode => "a list",
            _ => "a section",
        };

    object? ReadValue(PropertyInfo property, object? current, YamlNode node, string key)
    {
        if (SettingsSchema.IsSection(property.PropertyType))
        {
            return node is YamlMappingNode mapping
                ? Bind(current ?? Activator.CreateInstance(property.PropertyType)!, mapping, key + ".")
                : throw new SettingsException(
                    $"{where(node)}: '{key}' is a section of keys ({string.Join(", ", SettingsSchema.GetProperties(property.PropertyType).Keys)}), found {Describe(node)}"
                );
        }

        if (property.PropertyType == typeof(IReadOnlyList<string>))
        {
            return ReadList(node, key);
        }

        if (node is not YamlScalarNode scalar)
        {
            throw new SettingsException($"{where(node)}: '{key}' takes one value, found {Describe(node)}");
        }

        var value = ReadScalar(property, scalar, key);
        CheckRange(property, value, node, key);
        return value;
    }

    string[] ReadList(YamlNode node, string key) =>
        node switch
        {
            YamlSequenceNode list =>
            [
                .. list.Children.Select(child =>
                    (child as YamlScalarNode)?.Value
                    ?? throw new SettingsException(
                        $"{where(child)}: '{key}' is a list of words, found {Describe(child)}"
                    )
                ),
            ],
            YamlScalarNode { Value: { Length: > 0 } text } => text.Split(
                ',',
                StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries
            ),
            _ => throw new SettingsException(
                $"{where(node)}: '{key}' is a list, for example [a, b], found {Describe(node)}"
            ),
        };

    object? ReadScalar(PropertyInfo property, YamlScalarNode node, string key)
    {
        var text = node.Value ?? "";
        var isQuoted = node.Style is not (YamlDotNet.Core.ScalarStyle.Plain or YamlDotNet.Core.ScalarStyle.Any);
        if (
            !isQuoted
            && text is "" or "null" or "~" or "auto"
            && SettingsSchema.IsNullable(property)
            && (text != "auto" || property.PropertyType != typeof(string))
        )
        {
            return null;
        }

        var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        var value = SettingsSchema.Parse(type, text);
        return value
            ?? throw new SettingsException(
                $"{where(node)}: '{key}' takes {SettingsSchema.DescribeType(type)}, found '{text}'"
            );
    }

    /// <summary>
    /// Compares as numbers: the attribute's own check would round 0.3 to 0 where its bounds are written as whole ones.
    /// </summary>
    void CheckRange(PropertyInfo property, object? value, YamlNode node, string key)
    {
        if (value is null || property.GetCustomAttribute<RangeAttribute>() is not { } range)
        {
            return;
        }

        var (number, least, most) = (ToNumber(value), ToNumber(range.Minimum), ToNumber(range.Maximum));
        var isIn =
            (range.MinimumIsExclusive ? number > least : number >= least)
            && (range.MaximumIsExclusive ? number < most : number <= most);
        if (isIn)
        {
            return;
        }

        var low = $"{(range.MinimumIsExclusive ? "greater than" : "at least")} {SettingsSchema.Format(least)}";
        var high =
            most >= int.MaxValue
                ? ""
                : $" and {(range.MaximumIsExclusive ? "less than" : "at most")} {SettingsSchema.Format(most)}";
        throw new SettingsException(
            $"{where(node)}: '{key}' is {SettingsSchema.Format(value)}; it must be {low}{high}"
        );
    }

    static double ToNumber(object value) => Convert.ToDouble(value, CultureInfo.InvariantCulture);

    SettingsException CreateUnknownKeyError(Type section, YamlNode node, string prefix, string key)
    {
        var sibling = NearestName.FindSimilar(key, SettingsSchema.GetProperties(section).Keys);
        var elsewhere = SettingsSchema.FindSimilarKey(root, key);
        // The right name in the wrong section beats a similar name in this one.
        var isMisplaced = elsewhere is not null && elsewhere.EndsWith("." + key, StringComparison.Ordinal);
        var near = sibling is null || isMisplaced ? elsewhere : prefix + sibling;
        return new SettingsException(
            $"{where(node)}: unknown key '{prefix}{key}'{(near is null ? "" : $"; did you mean '{near}'?")}"
                + (
                    near is null
                        ? $" ({(prefix.Length == 0 ? "the top level" : $"'{prefix[..^1]}'")} knows {string.Join(", ", SettingsSchema.GetProperties(section).Keys)})"
                        : ""
                )
        );
    }
}
