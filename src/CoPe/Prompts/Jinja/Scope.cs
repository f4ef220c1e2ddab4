using System.Text;

namespace CoPe.Prompts.Jinja;

/// <summary>Names visible at a place: a loop or a macro has its own, what it sets is gone after it.</summary>
internal sealed class Scope(RenderRun run, Scope? parent)
{
    readonly Dictionary<string, object?> _values = new(StringComparer.Ordinal);

    public RenderRun Run => run;

    public Scope Inner() => new(run, this);

    public object? this[string name]
    {
        get
        {
            for (var scope = this; scope is not null; scope = scope.Outer)
                if (scope._values.TryGetValue(name, out var value)) return value;
            return new Undefined($"'{name}' is undefined");
        }
        set => _values[name] = value;
    }

    Scope? Outer => parent;
}

/// <summary>One rendering: where it stands, and limits that keep a hostile template from running or growing without end.</summary>
internal sealed class RenderRun
{
    public const int MaxTextLength = 1 << 22, MaxItems = 1 << 20;
    const long MaxSteps = 2_000_000;

    long _steps;

    /// <summary>Line of the statement that runs.</summary>
    public int Line { get; set; } = 1;

    public void Step()
    {
        if (++_steps > MaxSteps) throw new JinjaError($"the template ran more than {MaxSteps:N0} steps without coming to an end");
    }

    public static JinjaError TooLong() => new($"a text or list grew beyond {MaxTextLength:N0} characters or {MaxItems:N0} items");

    public static void Append(StringBuilder output, string text)
    {
        if (output.Length + text.Length > MaxTextLength) throw TooLong();
        output.Append(text);
    }
}
