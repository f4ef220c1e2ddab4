using System.Runtime.CompilerServices;

namespace CoPe.Prompts.Jinja;

/// <summary>A part of a template that has a value.</summary>
internal abstract class Expression
{
    public object? Value(Scope scope)
    {
        scope.Run.Step();
        RuntimeHelpers.EnsureSufficientExecutionStack();
        return Evaluate(scope);
    }

    protected abstract object? Evaluate(Scope scope);
}

internal sealed class Constant(object? value) : Expression
{
    protected override object? Evaluate(Scope scope) => value;
}

internal sealed class Name(string name) : Expression
{
    public string Text => name;

    protected override object? Evaluate(Scope scope) => scope[name];
}

internal sealed class ListLiteral(IReadOnlyList<Expression> items, bool tuple) : Expression
{
    public IReadOnlyList<Expression> Items => items;

    protected override object? Evaluate(Scope scope)
    {
        var values = items.Select(item => item.Value(scope));
        return tuple ? values.ToArray() : values.ToList();
    }
}

internal sealed class DictLiteral(IReadOnlyList<(Expression Key, Expression Value)> entries) : Expression
{
    protected override object? Evaluate(Scope scope)
    {
        var dict = new JinjaDict();
        foreach (var (key, value) in entries) dict.Set(key.Value(scope), value.Value(scope));
        return dict;
    }
}

internal sealed class Unary(string symbol, Expression operand) : Expression
{
    protected override object? Evaluate(Scope scope)
    {
        var value = operand.Value(scope);
        return symbol switch { "not" => !Operators.IsTrue(value), "-" => Operators.Negate(value), _ => value };
    }
}

internal sealed class Binary(string symbol, Expression left, Expression right) : Expression
{
    protected override object? Evaluate(Scope scope) => Operators.Binary(symbol, left.Value(scope), right.Value(scope));
}

internal sealed class Logical(bool and, Expression left, Expression right) : Expression
{
    protected override object? Evaluate(Scope scope)
    {
        var first = left.Value(scope);
        return Operators.IsTrue(first) == and ? right.Value(scope) : first;
    }
}

internal sealed class Concatenation(IReadOnlyList<Expression> parts) : Expression
{
    protected override object? Evaluate(Scope scope) =>
        parts.Aggregate("", (text, part) => Operators.Joined(text, PythonText.Of(part.Value(scope))));
}

/// <summary>A chain such as <c>1 &lt; x &lt;= 3</c>.</summary>
internal sealed class Comparison(Expression first, IReadOnlyList<(string Symbol, Expression Operand)> rest) : Expression
{
    protected override object? Evaluate(Scope scope)
    {
        var left = first.Value(scope);
        foreach (var (symbol, operand) in rest)
        {
            var right = operand.Value(scope);
            if (!Operators.Compare(symbol, left, right)) return false;
            left = right;
        }
        return true;
    }
}

internal sealed class Conditional(Expression condition, Expression then, Expression? otherwise) : Expression
{
    protected override object? Evaluate(Scope scope) =>
        Operators.IsTrue(condition.Value(scope)) ? then.Value(scope)
            : otherwise is null ? new Undefined("the inline if-expression evaluated to false and no else section was defined.")
            : otherwise.Value(scope);
}

internal sealed class Attribute(Expression target, string name) : Expression
{
    protected override object? Evaluate(Scope scope) => Members.Attribute(target.Value(scope), name);
}

internal sealed class Subscript(Expression target, Expression index) : Expression
{
    protected override object? Evaluate(Scope scope) => Members.Item(target.Value(scope), index.Value(scope));
}

internal sealed class Slice(Expression target, Expression? start, Expression? stop, Expression? step) : Expression
{
    protected override object? Evaluate(Scope scope) =>
        Members.Slice(target.Value(scope), start?.Value(scope), stop?.Value(scope), step?.Value(scope));
}
