using System.Runtime.CompilerServices;
using System.Text;

namespace CoPe.Prompts.Jinja;

/// <summary>How a statement ended: on to the next, or out of the loop.</summary>
internal enum Flow { Next, Break, Continue }

/// <summary>A part of a template that prints or sets something.</summary>
internal abstract class Statement(int line)
{
    public Flow Run(Scope scope, StringBuilder output)
    {
        scope.Run.Step();
        scope.Run.Line = line;
        RuntimeHelpers.EnsureSufficientExecutionStack();
        return Execute(scope, output);
    }

    public static Flow RunAll(IReadOnlyList<Statement> statements, Scope scope, StringBuilder output)
    {
        foreach (var statement in statements)
            if (statement.Run(scope, output) is var flow and not Flow.Next) return flow;
        return Flow.Next;
    }

    protected abstract Flow Execute(Scope scope, StringBuilder output);
}

internal sealed class TextStatement(int line, string text) : Statement(line)
{
    protected override Flow Execute(Scope scope, StringBuilder output)
    {
        RenderRun.Append(output, text);
        return Flow.Next;
    }
}

internal sealed class PrintStatement(int line, Expression value) : Statement(line)
{
    protected override Flow Execute(Scope scope, StringBuilder output)
    {
        RenderRun.Append(output, PythonText.Of(value.Value(scope)));
        return Flow.Next;
    }
}

internal sealed class LeaveLoop(int line, Flow flow) : Statement(line)
{
    protected override Flow Execute(Scope scope, StringBuilder output) => flow;
}

internal sealed class Block(int line, IReadOnlyList<Statement> body) : Statement(line)
{
    protected override Flow Execute(Scope scope, StringBuilder output) => RunAll(body, scope, output);
}

internal sealed class If(int line, IReadOnlyList<(Expression? Condition, IReadOnlyList<Statement> Body)> branches) : Statement(line)
{
    protected override Flow Execute(Scope scope, StringBuilder output)
    {
        foreach (var (condition, body) in branches)
            if (condition is null || Operators.IsTrue(condition.Value(scope))) return RunAll(body, scope, output);
        return Flow.Next;
    }
}

internal sealed class Set(int line, Target target, Expression value) : Statement(line)
{
    protected override Flow Execute(Scope scope, StringBuilder output)
    {
        target.Assign(scope, value.Value(scope));
        return Flow.Next;
    }
}

/// <summary>Sets a name to what a body prints, by way of filters.</summary>
internal sealed class SetBlock(int line, Target target, IReadOnlyList<Statement> body, Expression value) : Statement(line)
{
    /// <summary>The name, no name of Jinja, under which <c>value</c> finds what was printed.</summary>
    public const string Printed = " printed";

    protected override Flow Execute(Scope scope, StringBuilder output)
    {
        var printed = new StringBuilder();
        var inner = scope.Inner();
        RunAll(body, inner, printed);
        inner[Printed] = printed.ToString();
        target.Assign(scope, value.Value(inner));
        return Flow.Next;
    }
}

/// <summary>What stands left of an assignment: a name, an attribute of a namespace, or several of them.</summary>
internal sealed record Target(string? Name, string? Attribute, IReadOnlyList<Target> Several)
{
    public void Assign(Scope scope, object? value)
    {
        if (Name is null) AssignSeveral(scope, Operators.Items(value));
        else if (Attribute is null) scope[Name] = value;
        else if (scope[Name] is JinjaNamespace box) box.Attributes[Attribute] = value;
        else throw new JinjaError("cannot assign attribute on non-namespace object");
    }

    void AssignSeveral(Scope scope, IReadOnlyList<object?> values)
    {
        if (values.Count != Several.Count) throw new JinjaError($"expected {Several.Count} values to unpack, got {values.Count}");
        for (var i = 0; i < Several.Count; i++) Several[i].Assign(scope, values[i]);
    }
}
