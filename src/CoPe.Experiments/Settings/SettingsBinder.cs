using YamlDotNet.Core;
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

            if (value is YamlMappingNode inner && SettingsSchema.GetSubkeys(settings.GetType(), key).Count > 0)
            {
                BindSubkeys(copy, settings, inner, prefix, key);
                continue;
            }

            property.SetValue(copy, ReadValue(property, property.GetValue(settings), value, prefix + key));
        }

        return copy;
    }

    /// <summary>Sets a value that is written as a section, and the keys below it.</summary>
    void BindSubkeys(object copy, object settings, YamlMappingNode mapping, string prefix, string key)
    {
        var properties = SettingsSchema.GetProperties(settings.GetType());
        foreach (var (node, value) in mapping.Children)
        {
            var name = (node as YamlScalarNode)?.Value;
            var full = name == SettingsSchema.ValueKey ? key : $"{key}.{name}";
            if (!properties.TryGetValue(full, out var property))
            {
                var below = SettingsSchema.GetSubkeys(settings.GetType(), key).Select(one => one[(key.Length + 1)..]);
                throw CreateUnknownKeyError([SettingsSchema.ValueKey, .. below], node, $"{prefix}{key}.", $"{name}");
            }

            property.SetValue(copy, ReadValue(property, property.GetValue(settings), value, prefix + full));
        }
    }

    /// <summary>A node in words.</summary>
    public static string Describe(YamlNode node) =>
        node switch
        {
            YamlScalarNode scalar => $"'{scalar.Value}'",
            YamlSequenceNode => "a list",
            _ => "a section",
        };

    object? ReadValue(SettingProperty property, object? current, YamlNode node, string key)
    {
        if (property.IsSection)
        {
            return ReadSection(property.Type, current, node, key);
        }

        if (property.Type == typeof(IReadOnlyList<string>))
        {
            var isNull = property.IsNullable && node is YamlScalarNode word && IsNull(word, typeof(string));
            return isNull ? null : ReadList(node, key);
        }

        if (node is not YamlScalarNode scalar)
        {
            throw new SettingsException($"{where(node)}: '{key}' takes one value, found {Describe(node)}");
        }

        var value = ReadScalar(property, scalar, key);
        CheckRange(property, value, node, key);
        return value;
    }

    object ReadSection(Type section, object? current, YamlNode node, string key)
    {
        if (node is YamlMappingNode mapping)
        {
            return Bind(current ?? Activator.CreateInstance(section)!, mapping, key + ".");
        }

        var keys = string.Join(", ", SettingsSchema.GetProperties(section).Keys);
        throw new SettingsException($"{where(node)}: '{key}' is a section of keys ({keys}), found {Describe(node)}");
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

    object? ReadScalar(SettingProperty property, YamlScalarNode node, string key)
    {
        var text = node.Value ?? "";
        if (property.IsNullable && IsNull(node, property.Type))
        {
            return null;
        }

        var type = Nullable.GetUnderlyingType(property.Type) ?? property.Type;
        return SettingsSchema.Parse(type, text)
            ?? throw new SettingsException(
                $"{where(node)}: '{key}' takes {SettingsSchema.DescribeType(type)}, found '{text}'"
            );
    }

    /// <summary>Nothing, <c>null</c>, or <c>auto</c> where that is no text.</summary>
    static bool IsNull(YamlScalarNode node, Type type)
    {
        var isPlain = node.Style is ScalarStyle.Plain or ScalarStyle.Any;
        return isPlain
            && (node.Value is null or "" or "null" or "~" || (node.Value == "auto" && type != typeof(string)));
    }

    void CheckRange(SettingProperty property, object? value, YamlNode node, string key)
    {
        if (value is null || property.Range is not { } range)
        {
            return;
        }

        if (OptionGuard.FindViolation(range, value) is { } expected)
        {
            throw new SettingsException(
                $"{where(node)}: '{key}' is {SettingsSchema.Format(value)}; it must be {expected}"
            );
        }
    }

    SettingsException CreateUnknownKeyError(Type section, YamlNode node, string prefix, string key) =>
        CreateUnknownKeyError([.. SettingsSchema.GetProperties(section).Keys], node, prefix, key);

    SettingsException CreateUnknownKeyError(List<string> known, YamlNode node, string prefix, string key)
    {
        var problem = $"{where(node)}: unknown key '{prefix}{key}'";
        if (FindIntendedKey(known, prefix, key) is { } intended)
        {
            return new($"{problem}; did you mean '{intended}'?");
        }

        var place = prefix.Length == 0 ? "the top level" : $"'{prefix[..^1]}'";
        return new($"{problem} ({place} knows {string.Join(", ", known)})");
    }

    string? FindIntendedKey(List<string> known, string prefix, string key)
    {
        var sibling = NearestName.FindSimilar(key, known);
        var elsewhere = SettingsSchema.FindSimilarKey(root, key);
        // The right name in the wrong section beats a similar name in this one.
        var isMisplaced = elsewhere is not null && elsewhere.EndsWith("." + key, StringComparison.Ordinal);
        return sibling is null || isMisplaced ? elsewhere : prefix + sibling;
    }
}
