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
        RenderState.Append(output, PythonText.Str(scope.State, value.GetValue(scope)));
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

/// <summary>What a body prints, run through filters.</summary>
/// <param name="Body">The body.</param>
/// <param name="Value">The filters, over the name <see cref="PrintedName"/>.</param>
sealed record FilteredBody(IReadOnlyList<Statement> Body, Expression Value)
{
    /// <summary>
    /// The name under which the filters find what was printed; no template can use it, for it has a space.
    /// </summary>
    public const string PrintedName = " printed";

    public object? Render(Scope scope)
    {
        var printed = new StringBuilder();
        var inner = scope.CreateInner();
        Statement.RenderAll(Body, inner, printed);
        inner[PrintedName] = printed.ToString();
        return Value.GetValue(inner);
    }
}

/// <summary><c>set name | filter</c> with a body: sets a name to what the body prints, filtered.</summary>
sealed class SetBlockStatement(int line, AssignmentTarget target, FilteredBody body) : Statement(line)
{
    protected override Flow Execute(Scope scope, StringBuilder output)
    {
        target.Assign(scope, body.Render(scope));
        return Flow.Next;
    }
}

/// <summary><c>filter name</c> with a body: prints what the body prints, filtered.</summary>
sealed class FilterStatement(int line, FilteredBody body) : Statement(line)
{
    protected override Flow Execute(Scope scope, StringBuilder output)
    {
        RenderState.Append(output, PythonText.Str(scope.State, body.Render(scope)));
        return Flow.Next;
    }
}

/// <summary><c>with name = value</c>: names for a body alone.</summary>
sealed class WithStatement(
    int line,
    IReadOnlyList<(AssignmentTarget Target, Expression Value)> names,
    IReadOnlyList<Statement> body
) : Statement(line)
{
    protected override Flow Execute(Scope scope, StringBuilder output)
    {
        var inner = scope.CreateInner();
        foreach (var (target, value) in names)
        {
            target.Assign(inner, value.GetValue(scope));
        }

        return RenderAll(body, inner, output);
    }
}

/// <summary>What stands left of an assignment: a name, an attribute of a namespace, or several of them.</summary>
sealed record AssignmentTarget(string? Name, string? Attribute, IReadOnlyList<AssignmentTarget> Elements)
{
    public void Assign(Scope scope, object? value)
    {
        if (Name is null)
        {
            AssignElements(scope, Operators.Iterate(scope.State, value));
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

    /// <summary>The loop can be run on other items from within: <c>loop(item.children)</c>.</summary>
    public bool IsRecursive { get; init; }

    protected override Flow Execute(Scope scope, StringBuilder output)
    {
        Run(Items.GetValue(scope), scope, output, depth: 0);
        return Flow.Next;
    }

    void Run(object? value, Scope scope, StringBuilder output, int depth)
    {
        var items = SelectItems(value, scope);
        if (items.Count == 0)
        {
            RenderAll(ElseBody, scope.CreateInner(), output);
        }

        var change = new LoopChange();
        for (var i = 0; i < items.Count; i++)
        {
            scope.State.CountStep();
            var iteration = scope.CreateInner();
            iteration["loop"] = new LoopVariable(items, i, depth, change)
            {
                Recurse = IsRecursive ? arguments => Recurse(arguments, scope, depth + 1) : null,
            };
            Target.Assign(iteration, items[i]);
            if (RenderAll(Body, iteration, output) == Flow.Break)
            {
                break;
            }
        }
    }

    string Recurse(Arguments arguments, Scope scope, int depth)
    {
        var printed = new StringBuilder();
        Run(arguments.Bind(["iterable"]).Require(0, "iterable"), scope, printed, depth);
        return printed.ToString();
    }

    IReadOnlyList<object?> SelectItems(object? value, Scope scope)
    {
        var items = Operators.Iterate(scope.State, value);
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
}
