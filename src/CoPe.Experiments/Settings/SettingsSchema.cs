using System.Collections.Concurrent;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Runtime.Serialization;
using System.Text;

namespace CoPe.Experiments.Settings;

/// <summary>
/// Marks a nested record whose keys stand among those of the record around it. A key that the record around it has
/// itself takes the place of the inner one.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class InlineAttribute : Attribute;

/// <summary>
/// What a settings record looks like from a file: its keys, its sections, and how a word becomes a value.
/// </summary>
static class SettingsSchema
{
    /// <summary>The key of the value itself where a value has keys below it.</summary>
    public const string ValueKey = "limit";

    static readonly ConcurrentDictionary<Type, IReadOnlyDictionary<string, SettingProperty>> Cache = new();

    /// <summary>Key to property, in the order of declaration, inherited ones first.</summary>
    public static IReadOnlyDictionary<string, SettingProperty> GetProperties(Type type) =>
        Cache.GetOrAdd(type, FindProperties);

    /// <summary>
    /// Keys below one that is a value itself, by their full names: <c>users.adapters</c> below <c>users</c>. In a file
    /// such a key is a value, or a section of <see cref="ValueKey"/> and these.
    /// </summary>
    public static IReadOnlyList<string> GetSubkeys(Type type, string key) =>
        [.. GetProperties(type).Keys.Where(other => other.StartsWith(key + ".", StringComparison.Ordinal))];

    /// <summary>A nested record.</summary>
    public static bool IsSection(Type type) => type.GetMethod("<Clone>$") is not null;

    /// <summary>The copy a record's <c>with</c> makes.</summary>
    public static object Clone(object settings) => settings.GetType().GetMethod("<Clone>$")!.Invoke(settings, null)!;

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
                // As YAML 1.2 spells them.
                "true" or "True" or "TRUE" => true,
                "false" or "False" or "FALSE" => false,
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
            var isNumber = double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var d);
            return isNumber && double.IsFinite(d) ? d : null;
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
    public static string DescribeType(Type type)
    {
        if (type.IsEnum)
        {
            return "one of " + string.Join(", ", GetEnumNames(type));
        }

        if (type == typeof(bool))
        {
            return "true or false";
        }

        return type == typeof(double) ? "a number" : "a whole number";
    }

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

    static IReadOnlyDictionary<string, SettingProperty> FindProperties(Type record)
    {
        var properties = record
            .GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.SetMethod is { IsPublic: true })
            .Where(property => !property.IsDefined(typeof(CodeOnlyAttribute)))
            .OrderBy(property => property.DeclaringType == record ? 1 : 0)
            .ToList();
        var own = properties.Where(property => !IsInline(property)).ToDictionary(GetKey, SettingProperty.Create);
        var all = new OrderedDictionary<string, SettingProperty>();
        foreach (var property in properties)
        {
            if (!IsInline(property))
            {
                all.TryAdd(GetKey(property), own[GetKey(property)]);
                continue;
            }

            foreach (var (key, inner) in GetProperties(property.PropertyType))
            {
                all.TryAdd(key, own.GetValueOrDefault(key) ?? inner.Inside(property));
            }
        }

        return all;
    }

    static bool IsInline(PropertyInfo property) => property.IsDefined(typeof(InlineAttribute));

    static string GetKey(PropertyInfo property) =>
        property.GetCustomAttribute<OptionKeyAttribute>()?.Key ?? ToSnakeCase(property.Name);

    static string Quote(string text)
    {
        var isPlain =
            text.Length > 0
            && text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-' or '.' or '/' or '+')
            && (char.IsAsciiLetter(text[0]) || text[0] is '.' or '/')
            && text is not ("null" or "true" or "false" or "auto");
        return isPlain ? text : System.Text.Json.JsonSerializer.Serialize(text);
    }
}

/// <summary>
/// The property behind a key of a settings record: its own, or one of a record that is inlined in it.
/// </summary>
sealed class SettingProperty
{
    /// <summary>From the settings record to the property, through the inlined records.</summary>
    readonly PropertyInfo[] _path;

    SettingProperty(PropertyInfo[] path) => _path = path;

    /// <summary>The property itself.</summary>
    public PropertyInfo Property => _path[^1];

    /// <summary>Its type.</summary>
    public Type Type => Property.PropertyType;

    /// <summary>It holds a nested record with keys of its own.</summary>
    public bool IsSection => SettingsSchema.IsSection(Type);

    /// <summary>It may be null.</summary>
    public bool IsNullable =>
        Nullable.GetUnderlyingType(Type) is not null
        || (!Type.IsValueType && new NullabilityInfoContext().Create(Property).WriteState == NullabilityState.Nullable);

    /// <summary>It changes speed and memory, and no result.</summary>
    public bool IsSpeedOnly => Property.IsDefined(typeof(SpeedOnlyAttribute));

    /// <summary>The range of its values; null where every value is one.</summary>
    public RangeAttribute? Range => Property.GetCustomAttribute<RangeAttribute>();

    /// <summary>A property of the settings record itself.</summary>
    public static SettingProperty Create(PropertyInfo property) => new([property]);

    /// <summary>The same property, of a record that is inlined at <paramref name="owner"/>.</summary>
    public SettingProperty Inside(PropertyInfo owner) => new([owner, .. _path]);

    /// <summary>The value in a settings record.</summary>
    public object? GetValue(object settings) =>
        _path.Aggregate((object?)settings, (owner, property) => property.GetValue(owner));

    /// <summary>Sets the value in a copy of a settings record; inlined records are replaced by copies.</summary>
    public void SetValue(object copy, object? value) => SetValue(copy, _path, value);

    static void SetValue(object copy, ReadOnlySpan<PropertyInfo> path, object? value)
    {
        if (path.Length == 1)
        {
            path[0].SetValue(copy, value);
            return;
        }

        var inner = SettingsSchema.Clone(path[0].GetValue(copy)!);
        SetValue(inner, path[1..], value);
        path[0].SetValue(copy, inner);
    }
}
