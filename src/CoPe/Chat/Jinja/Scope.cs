using System.Runtime.CompilerServices;
using System.Text;

namespace CoPe.Chat.Jinja;

/// <summary>Names visible at a place: a loop or a macro has its own, and what it sets ends with it.</summary>
sealed class Scope(RenderState state, Scope? parent)
{
    readonly Dictionary<string, object?> _values = new(StringComparer.Ordinal);

    public RenderState State => state;

    public Scope CreateInner() => new(state, this);

    public object? this[string name]
    {
        get
        {
            for (var scope = this; scope is not null; scope = scope.Parent)
            {
                if (scope._values.TryGetValue(name, out var value))
                {
                    return value;
                }
            }

            return new Undefined($"'{name}' is undefined");
        }
        set => _values[name] = value;
    }

    Scope? Parent => parent;
}

/// <summary>
/// One rendering: the line it is at, and limits that keep a hostile template from running or growing without end.
/// Everything that takes time or memory is paid for from one budget: an expression, a visited item, a stretch of text.
/// </summary>
sealed class RenderState
{
    public const int MaxTextLength = 1 << 22;
    public const int MaxItems = 1 << 20;

    const long Budget = 8_000_000;
    const long StepCost = 4;
    const int CharactersPerUnit = 32;

    long _spent;

    /// <summary>Line of the statement that runs.</summary>
    public int Line { get; set; } = 1;

    /// <summary>A statement or an expression is about to run.</summary>
    public void CountStep()
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        Spend(StepCost);
    }

    /// <summary>A text or the items of a list are about to be read or were made.</summary>
    public void SpendOn(object? value)
    {
        if (value is string text)
        {
            Spend(1 + (text.Length / CharactersPerUnit));
        }
    }

    /// <summary>So many items are about to be visited.</summary>
    public void Spend(long items)
    {
        _spent += items;
        if (_spent > Budget)
        {
            throw new JinjaException(
                $"the template did more work than {Budget / StepCost:N0} steps without coming to an end"
            );
        }
    }

    /// <summary>Values nested in values must not end the process.</summary>
    public static void EnsureDepth() => RuntimeHelpers.EnsureSufficientExecutionStack();

    public static JinjaException LimitExceeded() =>
        new($"a text or list grew beyond {MaxTextLength:N0} characters or {MaxItems:N0} items");

    /// <summary>Refuses a text that would be too long to make.</summary>
    public static void EnsureLength(long length)
    {
        if (length > MaxTextLength)
        {
            throw LimitExceeded();
        }
    }

    public static void Append(StringBuilder output, string text)
    {
        EnsureLength((long)output.Length + text.Length);
        output.Append(text);
    }

    /// <summary>Texts one after the other, as long as they may be.</summary>
    public static string Join(string separator, IEnumerable<string> parts)
    {
        var joined = new StringBuilder();
        var isFirst = true;
        foreach (var part in parts)
        {
            if (!isFirst)
            {
                Append(joined, separator);
            }

            Append(joined, part);
            isFirst = false;
        }

        return joined.ToString();
    }
}
