using System.Text;

namespace CoPe.Experiments.Settings;

/// <summary>Settings records as YAML text and as flat keys.</summary>
static class SettingsWriter
{
    /// <summary>Leaf keys and their values as text, in the order of declaration.</summary>
    public static IEnumerable<SettingValue> EnumerateLeaves(object settings, string prefix)
    {
        foreach (var (key, property) in SettingsSchema.GetProperties(settings.GetType()))
        {
            var value = property.GetValue(settings);
            if (!property.IsSection)
            {
                yield return new(prefix + key, SettingsSchema.Format(value), property) { Raw = value };
                continue;
            }

            foreach (var leaf in EnumerateLeaves(value!, prefix + key + "."))
            {
                yield return leaf;
            }
        }
    }

    /// <summary>The record as YAML.</summary>
    public static string ToYaml(object settings)
    {
        var text = new StringBuilder();
        Append(text, settings, "");
        return text.ToString();
    }

    static void Append(StringBuilder text, object settings, string indent)
    {
        var properties = SettingsSchema.GetProperties(settings.GetType());
        foreach (var (key, property) in properties.Where(pair => !pair.Key.Contains('.', StringComparison.Ordinal)))
        {
            text.Append(indent).Append(key).Append(':');
            var value = property.GetValue(settings);
            if (property.IsSection)
            {
                text.Append('\n');
                Append(text, value!, indent + "  ");
            }
            else if (ListSubvalues(settings, key) is { Count: > 0 } subvalues)
            {
                text.Append('\n');
                foreach (var (name, subvalue) in subvalues.Prepend(new(SettingsSchema.ValueKey, value)))
                {
                    text.Append(indent).Append("  ").Append(name).Append(": ");
                    text.Append(SettingsSchema.Format(subvalue)).Append('\n');
                }
            }
            else
            {
                text.Append(' ').Append(SettingsSchema.Format(value)).Append('\n');
            }
        }
    }

    /// <summary>
    /// The keys below a value and what they are; none where all are null, so that the value stands alone.
    /// </summary>
    static List<KeyValuePair<string, object?>> ListSubvalues(object settings, string key)
    {
        var properties = SettingsSchema.GetProperties(settings.GetType());
        var subkeys = SettingsSchema.GetSubkeys(settings.GetType(), key);
        List<KeyValuePair<string, object?>> values =
        [
            .. subkeys.Select(sub => KeyValuePair.Create(sub[(key.Length + 1)..], properties[sub].GetValue(settings))),
        ];
        return values.TrueForAll(pair => pair.Value is null) ? [] : values;
    }
}

/// <summary>One value of a settings record.</summary>
/// <param name="Key">Dotted key.</param>
/// <param name="Value">Value as text.</param>
/// <param name="Property">The property that holds it.</param>
sealed record SettingValue(string Key, string Value, SettingProperty Property)
{
    /// <summary>The value itself.</summary>
    public object? Raw { get; init; }

    /// <summary>It changes speed and memory, and no result.</summary>
    public bool IsSpeedOnly => Property.IsSpeedOnly;
}
