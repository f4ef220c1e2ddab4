using System.Collections.Concurrent;
using System.Globalization;
using System.Reflection;
using System.Runtime.Serialization;
using System.Text;

namespace CoPe.Experiments.Settings;

/// <summary>
/// What a settings record looks like from a file: its keys, its sections, and how a word becomes a value.
/// </summary>
static class SettingsSchema
{
    static readonly ConcurrentDictionary<Type, IReadOnlyDictionary<string, PropertyInfo>> Cache = new();

    /// <summary>Key to property, in the order of declaration, inherited ones first.</summary>
    public static IReadOnlyDictionary<string, PropertyInfo> GetProperties(Type type) =>
        Cache.GetOrAdd(
            type,
            static record =>
                record
                    .GetProperties(BindingFlags.Public | BindingFlags.Instance)
                    .Where(property => property.SetMethod is { IsPublic: true })
                    .OrderBy(property => property.DeclaringType == record ? 1 : 0)
                    .ToDictionary(property => ToSnakeCase(property.Name))
        );

    /// <summary>A nested record.</summary>
    public static bool IsSection(Type type) => type.GetMethod("<Clone>$") is not null;

    /// <summary>The copy a record's <c>with</c> makes.</summary>
    public static object Clone(object settings) => settings.GetType().GetMethod("<Clone>$")!.Invoke(settings, null)!;

    /// <summary>The property may be null.</summary>
    public static bool IsNullable(PropertyInfo property) =>
        Nullable.GetUnderlyingType(property.PropertyType) is not null
        || (
            !property.PropertyType.IsValueType
            && new NullabilityInfoContext().Create(property).WriteState == NullabilityState.Nullable
        );

    /// <summary>A value from a word, or null where it is none of that type.</summary>
    public static object? Parse(Type type, string text)
    {
        if (type == typeof(string))
        {
            return text;
        }

        if (type.IsEnum)
        {
            return Enum.GetValues(type).Cast<object>().FirstOrDefault(value => GetEnumName((Enum)value) == text);
        }

        if (type == typeof(bool))
        {
            return text switch
            {
                "true" => true,
                "false" => false,
                _ => null,
            };
        }

        if (type == typeof(int))
        {
            return int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var i)
                ? i
                : null;
        }

        if (type == typeof(long))
        {
            return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var l)
                ? l
                : null;
        }

        if (type == typeof(double))
        {
            return
                double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var d) && double.IsFinite(d)
                ? d
                : null;
        }

        throw new NotSupportedException($"settings of type {type.Name}");
    }

    /// <summary>A value as a file and a hash have it.</summary>
    public static string Format(object? value) =>
        value switch
        {
            null => "null",
            bool flag => flag ? "true" : "false",
            Enum name => GetEnumName(name),
            IEnumerable<string> list => "[" + string.Join(", ", list.Select(Quote)) + "]",
            string text => Quote(text),
            _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
        };

    /// <summary>A type in words, for messages.</summary>
    public static string DescribeType(Type type) =>
        type.IsEnum ? "one of " + string.Join(", ", GetEnumNames(type))
        : type == typeof(bool) ? "true or false"
        : type == typeof(double) ? "a number"
        : "a whole number";

    /// <summary>The words that an enumeration's values are in a file.</summary>
    public static IEnumerable<string> GetEnumNames(Type type) => Enum.GetValues(type).Cast<Enum>().Select(GetEnumName);

    /// <summary>The word that a value is in a file: what it is marked with, else its name in snake case.</summary>
    public static string GetEnumName(Enum value) =>
        value.GetType().GetField(value.ToString())!.GetCustomAttribute<EnumMemberAttribute>()?.Value
        ?? ToSnakeCase(value.ToString());

    /// <summary>The dotted key of the settings that has this name in some section, or the nearest to it.</summary>
    public static string? FindSimilarKey(object settings, string key)
    {
        var leaves = SettingsWriter.EnumerateLeaves(settings, "").Select(leaf => leaf.Key).ToList();
        var near = NearestName.FindSimilar(key, leaves.Select(leaf => leaf[(leaf.LastIndexOf('.') + 1)..]));
        return near is null
            ? null
            : leaves.First(leaf => leaf == near || leaf.EndsWith("." + near, StringComparison.Ordinal));
    }

    /// <summary><c>MaxNewTokens</c> to <c>max_new_tokens</c>; digits stay with the word before them.</summary>
    public static string ToSnakeCase(string name)
    {
        var text = new StringBuilder();
        foreach (var letter in name)
        {
            if (char.IsUpper(letter) && text.Length > 0)
            {
                text.Append('_');
            }

            text.Append(char.ToLowerInvariant(letter));
        }

        return text.ToString();
    }

    static string Quote(string text)
    {
        var isPlain =
            text.Length > 0
            && text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-' or '.' or '/' or '+')
            && char.IsAsciiLetter(text[0]) | text[0] is '.' or '/'
            && text is not ("null" or "true" or "false" or "auto");
        return isPlain ? text : System.Text.Json.JsonSerializer.Serialize(text);
    }
}
