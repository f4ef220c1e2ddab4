namespace CoPe.Prompts.Jinja;

/// <summary>The tests of <c>value is test</c>.</summary>
internal static class Tests
{
    static readonly Dictionary<string, Func<object?, Arguments, bool>> All = new(StringComparer.Ordinal)
    {
        ["defined"] = static (value, _) => value is not Undefined,
        ["undefined"] = static (value, _) => value is Undefined,
        ["none"] = static (value, _) => value is null,
        ["string"] = static (value, _) => value is string,
        ["mapping"] = static (value, _) => value is JinjaDict,
        ["iterable"] = static (value, _) => value is string or JinjaDict or List<object?> or object?[] or Generator or Undefined,
        ["sequence"] = static (value, _) => value is string or JinjaDict or List<object?> or object?[] or Undefined,
        ["number"] = static (value, _) => value is bool or long or double,
        ["integer"] = static (value, _) => value is long,
        ["float"] = static (value, _) => value is double,
        ["boolean"] = static (value, _) => value is bool,
        ["true"] = static (value, _) => value is true,
        ["false"] = static (value, _) => value is false,
        ["callable"] = static (value, _) => value is Callable,
        ["odd"] = static (value, _) => Operators.AreEqual(Operators.Binary("%", value, 2L), 1L),
        ["even"] = static (value, _) => Operators.AreEqual(Operators.Binary("%", value, 2L), 0L),
        ["divisibleby"] = static (value, arguments) => Operators.AreEqual(Operators.Binary("%", value, arguments.Need(0, "num")), 0L),
        ["lower"] = static (value, _) => PythonText.Of(value) is var text && text.Any(char.IsLower) && !text.Any(char.IsUpper),
        ["upper"] = static (value, _) => PythonText.Of(value) is var text && text.Any(char.IsUpper) && !text.Any(char.IsLower),
        ["in"] = static (value, arguments) => Operators.Contains(arguments.Need(0, "seq"), value),
        ["sameas"] = static (value, arguments) => value is bool or null ? Equals(value, arguments.Need(0, "other")) : ReferenceEquals(value, arguments.Need(0, "other")),
    };

    static readonly Dictionary<string, string> Comparisons = new(StringComparer.Ordinal)
    {
        ["eq"] = "==", ["equalto"] = "==", ["=="] = "==", ["ne"] = "!=", ["!="] = "!=", ["lt"] = "<", ["lessthan"] = "<", ["<"] = "<",
        ["le"] = "<=", ["<="] = "<=", ["gt"] = ">", ["greaterthan"] = ">", [">"] = ">", ["ge"] = ">=", [">="] = ">=",
    };

    /// <summary>The test of a name, or null.</summary>
    public static Func<object?, Arguments, bool>? Find(string name)
    {
        if (All.TryGetValue(name, out var test)) return test;
        return Comparisons.TryGetValue(name, out var symbol)
            ? (value, arguments) => Operators.Compare(symbol, value, arguments.Need(0, "other"))
            : null;
    }
}
