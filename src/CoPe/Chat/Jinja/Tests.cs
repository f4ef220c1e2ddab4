using Test = CoPe.Chat.Jinja.ValueFunction<bool>;

namespace CoPe.Chat.Jinja;

/// <summary>The tests of <c>value is test</c>.</summary>
static class Tests
{
    static readonly Dictionary<string, Test> All = new(StringComparer.Ordinal)
    {
        ["defined"] = new(static (value, _) => value is not Undefined),
        ["undefined"] = new(static (value, _) => value is Undefined),
        ["none"] = new(static (value, _) => value is null),
        ["string"] = new(static (value, _) => value is string),
        ["mapping"] = new(static (value, _) => value is JinjaDict),
        ["iterable"] = new(static (value, _) => IsSequence(value) || value is Generator or DictView),
        ["sequence"] = new(static (value, _) => IsSequence(value)),
        ["number"] = new(static (value, _) => value is bool or long or double),
        ["integer"] = new(static (value, _) => value is long),
        ["float"] = new(static (value, _) => value is double),
        ["boolean"] = new(static (value, _) => value is bool),
        ["true"] = new(static (value, _) => value is true),
        ["false"] = new(static (value, _) => value is false),
        ["callable"] = new(static (value, _) => value is Callable or LoopVariable { Recurse: not null }),
        ["escaped"] = new(static (_, _) => false),
        ["filter"] = new(static (value, _) => value is string name && Filters.Find(name) is not null),
        ["test"] = new(static (value, _) => value is string name && Find(name) is not null),
        ["odd"] = new(static (value, arguments) => HasRemainder(value, arguments, 2L, 1L)),
        ["even"] = new(static (value, arguments) => HasRemainder(value, arguments, 2L, 0L)),
        ["divisibleby"] = new(
            static (value, arguments) => HasRemainder(value, arguments, arguments.Require(0, "num"), 0L),
            "num"
        ),
        ["lower"] = new(static (value, arguments) => PythonCase.IsLower(PythonText.Str(arguments.State, value))),
        ["upper"] = new(static (value, arguments) => PythonCase.IsUpper(PythonText.Str(arguments.State, value))),
        ["in"] = new(
            static (value, arguments) => Operators.Contains(arguments.State, arguments.Require(0, "seq"), value),
            "seq"
        ),
        ["sameas"] = new(static (value, arguments) => IsSame(value, arguments.Require(0, "other")), "other"),
    };

    static readonly Dictionary<string, string> Comparisons = new(StringComparer.Ordinal)
    {
        ["eq"] = "==",
        ["equalto"] = "==",
        ["=="] = "==",
        ["ne"] = "!=",
        ["!="] = "!=",
        ["lt"] = "<",
        ["lessthan"] = "<",
        ["<"] = "<",
        ["le"] = "<=",
        ["<="] = "<=",
        ["gt"] = ">",
        ["greaterthan"] = ">",
        [">"] = ">",
        ["ge"] = ">=",
        [">="] = ">=",
    };

    /// <summary>The test of a name, or null.</summary>
    public static Test? Find(string name)
    {
        if (All.TryGetValue(name, out var test))
        {
            return test;
        }

        return Comparisons.TryGetValue(name, out var symbol)
            ? new(
                (value, arguments) => Operators.Compare(arguments.State, symbol, value, arguments.Require(0, "other")),
                "other"
            )
            : null;
    }

    static bool IsSequence(object? value) =>
        value is string or JinjaDict or List<object?> or object?[] or JinjaRange or Undefined;

    static bool HasRemainder(object? value, Arguments arguments, object? divisor, long expected)
    {
        var isText = value is string;
        return isText
            ? throw new JinjaException("not all arguments converted during string formatting")
            : Operators.AreEqualNumbers(Operators.Binary(arguments.State, "%", value, divisor), expected);
    }

    static bool IsSame(object? value, object? other) =>
        value is bool or null or long ? Equals(value, other) : ReferenceEquals(value, other);
}
