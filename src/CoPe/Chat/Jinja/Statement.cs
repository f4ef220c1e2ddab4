using System.Runtime.CompilerServices;
using System.Text;

namespace CoPe.Chat.Jinja;

/// <summary>How a statement ended: on to the next, or out of the loop.</summary>
enum Flow
{
    Next,
    Break,
    Continue,
}

/// <summary>A part of a template that prints or sets something.</summary>
abstract class Statement(int line)
{
    public Flow Render(Scope scope, StringBuilder output)
    {
        scope.State.CountStep();
        scope.State.Line = line;
        RuntimeHelpers.EnsureSufficientExecutionStack();
        return Execute(scope, output);
    }

    public static Flow RenderAll(IReadOnlyList<Statement> statements, Scope scope, StringBuilder output)
    {
        foreach (var statement in statements)
        {
            var flow = statement.Render(scope, output);
            if (flow != Flow.Next)
            {
                return flow;
            }
        }

        return Flow.Next;
    }

    protected abstract Flow Execute(Scope scope, StringBuilder output);
}

sealed class TextStatement(int line, string text) : Statement(line)
{
    protected override Flow Execute(Scope scope, StringBuilder output)
    {
        RenderState.Append(output, text);
        return Flow.Next;
    }
}

sealed class PrintStatement(int line, Expression value) : Statement(line)
{
    protected override Flow Execute(Scope scope, StringBuilder output)
    {
        RenderState.Append(output, PythonText.Str(value.GetValue(scope)));
        return Flow.Next;
    }
}

sealed class LoopControlStatement(int line, Flow flow) : Statement(line)
{
    protected override Flow Execute(Scope scope, StringBuilder output) => flow;
}

sealed class BlockStatement(int line, IReadOnlyList<Statement> body) : Statement(line)
{
    protected override Flow Execute(Scope scope, StringBuilder output) => RenderAll(body, scope, output);
}

sealed class IfStatement(int line, IReadOnlyList<(Expression? Condition, IReadOnlyList<Statement> Body)> branches)
    : Statement(line)
{
    protected override Flow Execute(Scope scope, StringBuilder output)
    {
        foreach (var (condition, body) in branches)
        {
            if (condition is null || Operators.IsTrue(condition.GetValue(scope)))
            {
                return RenderAll(body, scope, output);
            }
        }

        return Flow.Next;
    }
}

sealed class SetStatement(int line, AssignmentTarget target, Expression value) : Statement(line)
{
    protected override Flow Execute(Scope scope, StringBuilder output)
    {
        target.Assign(scope, value.GetValue(scope));
        return Flow.Next;
    }
}

/// <summary><c>set name | filter</c> with a body: sets a name to what the body prints, filtered.</summary>
sealed class SetBlockStatement(int line, AssignmentTarget target, IReadOnlyList<Statement> body, Expression value)
    : Statement(line)
{
    /// <summary>
    /// The name under which <c>value</c> finds what was printed; no template can use it, for it has a space.
    /// </summary>
    public const string PrintedName = " printed";

    protected override Flow Execute(Scope scope, StringBuilder output)
    {
        var printed = new StringBuilder();
        var inner = scope.CreateInner();
        RenderAll(body, inner, printed);
        inner[PrintedName] = printed.ToString();
        target.Assign(scope, value.GetValue(inner));
        return Flow.Next;
    }
}

/// <summary>What stands left of an assignment: a name, an attribute of a namespace, or several of them.</summary>
sealed record AssignmentTarget(string? Name, string? Attribute, IReadOnlyList<AssignmentTarget> Elements)
{
    public void Assign(Scope scope, object? value)
    {
        if (Name is null)
        {
            AssignElements(scope, Operators.Iterate(value));
        }
        else if (Attribute is null)
        {
            scope[Name] = value;
        }
        else if (scope[Name] is JinjaNamespace box)
        {
            box.Attributes[Attribute] = value;
        }
        else
        {
            throw new JinjaException("cannot assign attribute on non-namespace object");
        }
    }

    void AssignElements(Scope scope, IReadOnlyList<object?> values)
    {
        if (values.Count != Elements.Count)
        {
            throw new JinjaException($"expected {Elements.Count} values to unpack, got {values.Count}");
        }

        for (var i = 0; i < Elements.Count; i++)
        {
            Elements[i].Assign(scope, values[i]);
        }
    }
}

/// <summary>
/// <c>for target in items if condition</c>, with an else for no items. Each iteration has its own scope.
/// </summary>
sealed class ForStatement(int line) : Statement(line)
{
    public required AssignmentTarget Target { get; init; }
    public required Expression Items { get; init; }
    public Expression? Condition { get; init; }
    public required IReadOnlyList<Statement> Body { get; init; }
    public IReadOnlyList<Statement> ElseBody { get; init; } = [];

    protected override Flow Execute(Scope scope, StringBuilder output)
    {
        var items = SelectItems(scope);
        if (items.Count == 0)
        {
            return RenderAll(ElseBody, scope.CreateInner(), output);
        }

        for (var i = 0; i < items.Count; i++)
        {
            scope.State.CountStep();
            var iteration = scope.CreateInner();
            iteration["loop"] = CreateLoopVariable(items, i);
            Target.Assign(iteration, items[i]);
            if (RenderAll(Body, iteration, output) == Flow.Break)
            {
                break;
            }
        }

        return Flow.Next;
    }

    IReadOnlyList<object?> SelectItems(Scope scope)
    {
        var items = Operators.Iterate(Items.GetValue(scope));
        if (Condition is null)
        {
            return items;
        }

        return [.. items.Where(IsSelected)];

        bool IsSelected(object? item)
        {
            scope.State.CountStep();
            var iteration = scope.CreateInner();
            Target.Assign(iteration, item);
            return Operators.IsTrue(Condition.GetValue(iteration));
        }
    }

    static JinjaNamespace CreateLoopVariable(IReadOnlyList<object?> items, int i)
    {
        var loop = new JinjaNamespace();
        var attributes = loop.Attributes;
        attributes["index"] = i + 1L;
        attributes["index0"] = (long)i;
        attributes["revindex"] = (long)items.Count - i;
        attributes["revindex0"] = items.Count - i - 1L;
        attributes["first"] = i == 0;
        attributes["last"] = i == items.Count - 1;
        attributes["length"] = (long)items.Count;
        attributes["previtem"] = i > 0 ? items[i - 1] : new Undefined("there is no previous item");
        attributes["nextitem"] = i + 1 < items.Count ? items[i + 1] : new Undefined("there is no next item");
        attributes["cycle"] = new Callable(
            "cycle",
            arguments =>
                arguments.Positional.Count > 0
                    ? arguments.Positional[i % arguments.Positional.Count]
                    : throw new JinjaException("no items for cycling given")
        );
        return loop;
    }
}

/// <summary>A named body with parameters, which prints into the value of its call.</summary>
sealed class MacroStatement(
    int line,
    string name,
    IReadOnlyList<(string Name, Expression? Default)> parameters,
    IReadOnlyList<Statement> body
) : Statement(line)
{
    protected override Flow Execute(Scope scope, StringBuilder output)
    {
        scope[name] = new Callable(name, arguments => Invoke(scope, arguments));
        return Flow.Next;
    }

    string Invoke(Scope outer, Arguments arguments)
    {
        if (arguments.Positional.Count > parameters.Count)
        {
            throw new JinjaException($"macro '{name}' takes not more than {parameters.Count} argument(s)");
        }

        var unknown = arguments.Named.Keys.FirstOrDefault(given =>
            parameters.All(parameter => parameter.Name != given)
        );
        if (unknown is not null)
        {
            throw new JinjaException($"macro '{name}' takes no keyword argument '{unknown}'");
        }

        var scope = outer.CreateInner();
        for (var i = 0; i < parameters.Count; i++)
        {
            var (parameter, defaultValue) = parameters[i];
            var isGiven = i < arguments.Positional.Count || arguments.Named.ContainsKey(parameter);
            scope[parameter] = isGiven ? arguments.Get(i, parameter) : GetDefault(parameter, defaultValue, scope);
        }

        var printed = new StringBuilder();
        RenderAll(body, scope, printed);
        return printed.ToString();
    }

    static object? GetDefault(string parameter, Expression? value, Scope scope) =>
        value is null ? new Undefined($"parameter '{parameter}' was not provided") : value.GetValue(scope);
}

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
/// </summary>
sealed class RenderState
{
    public const int MaxTextLength = 1 << 22;
    public const int MaxItems = 1 << 20;
    const long MaxSteps = 2_000_000;

    long _steps;

    /// <summary>Line of the statement that runs.</summary>
    public int Line { get; set; } = 1;

    public void CountStep()
    {
        if (++_steps > MaxSteps)
        {
            throw new JinjaException($"the template ran more than {MaxSteps:N0} steps without coming to an end");
        }
    }

    public static JinjaException LimitExceeded() =>
        new($"a text or list grew beyond {MaxTextLength:N0} characters or {MaxItems:N0} items");

    public static void Append(StringBuilder output, string text)
    {
        if (output.Length + text.Length > MaxTextLength)
        {
            throw LimitExceeded();
        }

        output.Append(text);
    }
}
