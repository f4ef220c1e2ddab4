using System.Globalization;

namespace CoPe.Prompts.Jinja;

/// <summary>The filters of <c>value | filter</c>.</summary>
internal static class Filters
{
    static readonly Dictionary<string, Func<object?, Arguments, object?>> All = new(StringComparer.Ordinal)
    {
        ["trim"] = static (value, arguments) => PythonText.Strip(PythonText.Of(value), arguments.Get(0, "chars") as string),
        ["length"] = static (value, _) => Length(value),
        ["count"] = static (value, _) => Length(value),
        ["string"] = static (value, _) => PythonText.Of(value),
        ["tojson"] = static (value, arguments) => Json.Write(value, arguments.Get(1, "indent") is long width ? (int)Math.Clamp(width, 0, 64) : null),
        ["default"] = Default,
        ["d"] = Default,
        ["upper"] = static (value, _) => PythonText.Of(value).ToUpperInvariant(),
        ["lower"] = static (value, _) => PythonText.Of(value).ToLowerInvariant(),
        ["title"] = static (value, _) => StringMethods.Title(PythonText.Of(value)),
        ["capitalize"] = static (value, _) => StringMethods.Capitalize(PythonText.Of(value)),
        ["replace"] = static (value, arguments) => StringMethods.Replace(PythonText.Of(value), arguments.NeedText(0, "old"), arguments.NeedText(1, "new"), arguments.Get(2, "count") is long count ? (int)Math.Clamp(count, -1, int.MaxValue - 1) : -1),
        ["indent"] = Indent,
        ["safe"] = static (value, _) => value,
        ["int"] = ToInteger,
        ["float"] = ToFloat,
        ["abs"] = static (value, _) => Operators.Order(value, 0L) < 0 ? Operators.Negate(value) : value,
        ["round"] = static (value, arguments) => Operators.TryNumber(value, out var number, out _)
            ? Math.Round(number, (int)Math.Clamp(arguments.Get(0, "precision", 0L) as long? ?? 0, 0, 15), MidpointRounding.ToEven)
            : throw new JinjaError("round needs a number"),
    };

    /// <summary>The filter of a name, or null.</summary>
    public static Func<object?, Arguments, object?>? Find(string name) => All.GetValueOrDefault(name) ?? SequenceFilters.Find(name);

    public static long Length(object? value) => value is Generator or null or bool or long or double or Callable or JinjaNamespace
        ? throw new JinjaError($"object of type '{PythonText.TypeName(value)}' has no len()")
        : value is JinjaDict dict ? dict.Count : Operators.Items(value).Count;

    static object? Default(object? value, Arguments arguments)
    {
        var absent = value is Undefined || (Operators.IsTrue(arguments.Get(1, "boolean")) && !Operators.IsTrue(value));
        return absent ? arguments.Get(0, "default_value", "") : value;
    }

    static string Indent(object? value, Arguments arguments)
    {
        var by = arguments.Get(0, "width", 4L) is string text ? text : new string(' ', (int)Math.Clamp(arguments.Get(0, "width", 4L) as long? ?? 4, 0, 1000));
        bool first = Operators.IsTrue(arguments.Get(1, "first")), blank = Operators.IsTrue(arguments.Get(2, "blank"));
        var lines = PythonText.Of(value).Split('\n');
        return string.Join('\n', lines.Select((line, i) => (i == 0 ? first : blank || line.Length > 0) ? by + line : line));
    }

    static object? ToInteger(object? value, Arguments arguments)
    {
        if (Operators.TryNumber(value, out var number, out var whole)) return whole ?? (long)Math.Truncate(number);
        var text = PythonText.Of(value).Trim();
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var parsed)) return parsed;
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out number) ? (long)number : arguments.Get(0, "default", 0L);
    }

    static object? ToFloat(object? value, Arguments arguments)
    {
        if (Operators.TryNumber(value, out var number, out _)) return number;
        return double.TryParse(PythonText.Of(value).Trim(), NumberStyles.Float, CultureInfo.InvariantCulture, out number) ? number : arguments.Get(0, "default", 0.0);
    }
}
