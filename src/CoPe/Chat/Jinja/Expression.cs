namespace CoPe.Chat.Jinja;

/// <summary>A part of a template that has a value.</summary>
abstract class Expression
{
    public object? GetValue(Scope scope)
    {
        scope.State.CountStep();
        return Evaluate(scope);
    }

    protected abstract object? Evaluate(Scope scope);
}

sealed class Constant(object? value) : Expression
{
    protected override object? Evaluate(Scope scope) => value;
}

sealed class NameReference(string name) : Expression
{
    protected override object? Evaluate(Scope scope) => scope[name];
}

sealed class ListLiteral(IReadOnlyList<Expression> items, bool isTuple) : Expression
{
    protected override object? Evaluate(Scope scope)
    {
        var values = items.Select(item => item.GetValue(scope));
        return isTuple ? values.ToArray() : values.ToList();
    }
}

sealed class DictLiteral(IReadOnlyList<(Expression Key, Expression Value)> entries) : Expression
{
    protected override object? Evaluate(Scope scope)
    {
        var dict = new JinjaDict();
        foreach (var (key, value) in entries)
        {
            dict.Set(key.GetValue(scope), value.GetValue(scope));
        }

        return dict;
    }
}

sealed class UnaryOperation(string symbol, Expression operand) : Expression
{
    protected override object? Evaluate(Scope scope)
    {
        var value = operand.GetValue(scope);
        return symbol switch
        {
            "not" => !Operators.IsTrue(value),
            "-" => Operators.Negate(value),
            _ => Operators.Affirm(value),
        };
    }
}

sealed class BinaryOperation(string symbol, Expression left, Expression right) : Expression
{
    protected override object? Evaluate(Scope scope) =>
        Operators.Binary(scope.State, symbol, left.GetValue(scope), right.GetValue(scope));
}

sealed class LogicalOperation(bool isAnd, Expression left, Expression right) : Expression
{
    protected override object? Evaluate(Scope scope)
    {
        var first = left.GetValue(scope);
        return Operators.IsTrue(first) == isAnd ? right.GetValue(scope) : first;
    }
}

/// <summary><c>a ~ b ~ c</c>: the operands as text, side by side.</summary>
sealed class Concatenation(IReadOnlyList<Expression> parts) : Expression
{
    protected override object? Evaluate(Scope scope) =>
        RenderState.Join("", parts.Select(part => GetText(scope, part)));

    static string GetText(Scope scope, Expression part)
    {
        var text = PythonText.Str(scope.State, part.GetValue(scope));
        scope.State.SpendOn(text);
        return text;
    }
}

/// <summary>A chain such as <c>1 &lt; x &lt;= 3</c>.</summary>
sealed class Comparison(Expression first, IReadOnlyList<(string Symbol, Expression Operand)> rest) : Expression
{
    protected override object? Evaluate(Scope scope)
    {
        var left = first.GetValue(scope);
        foreach (var (symbol, operand) in rest)
        {
            var right = operand.GetValue(scope);
            if (!Operators.Compare(scope.State, symbol, left, right))
            {
                return false;
            }

            left = right;
        }

        return true;
    }
}

/// <summary><c>then if condition else otherwise</c>.</summary>
sealed class Conditional(Expression condition, Expression then, Expression? otherwise) : Expression
{
    protected override object? Evaluate(Scope scope)
    {
        if (Operators.IsTrue(condition.GetValue(scope)))
        {
            return then.GetValue(scope);
        }

        return otherwise is null
            ? new Undefined("the inline if-expression evaluated to false and no else section was defined.")
            : otherwise.GetValue(scope);
    }
}

sealed class AttributeAccess(Expression target, string name) : Expression
{
    protected override object? Evaluate(Scope scope) => MemberAccess.GetAttribute(target.GetValue(scope), name);
}

sealed class Subscript(Expression target, Expression index) : Expression
{
    protected override object? Evaluate(Scope scope) =>
        MemberAccess.GetItem(scope.State, target.GetValue(scope), index.GetValue(scope));
}

sealed class Slice(Expression target, Expression? start, Expression? stop, Expression? step) : Expression
{
    protected override object? Evaluate(Scope scope) =>
        MemberAccess.GetSlice(
            scope.State,
            target.GetValue(scope),
            start?.GetValue(scope),
            stop?.GetValue(scope),
            step?.GetValue(scope)
        );
}

/// <summary>The arguments of a call, a filter or a test, as written.</summary>
sealed record ArgumentList(IReadOnlyList<Expression> Positional, IReadOnlyList<(string Name, Expression Value)> Named)
{
    public static readonly ArgumentList None = new([], []);

    /// <summary><c>*items</c>: more arguments by place; null for none.</summary>
    public Expression? Items { get; init; }

    /// <summary><c>**entries</c>: more arguments by name; null for none.</summary>
    public Expression? Entries { get; init; }

    public Arguments Evaluate(string callee, Scope scope)
    {
        var positional = Positional.Select(argument => argument.GetValue(scope)).ToList();
        if (Items is not null)
        {
            positional.AddRange(Operators.Iterate(scope.State, Items.GetValue(scope)));
        }

        var named = Named.ToDictionary(
            argument => argument.Name,
            argument => argument.Value.GetValue(scope),
            StringComparer.Ordinal
        );
        foreach (var (key, value) in EvaluateEntries(scope))
        {
            var name = key as string ?? throw new JinjaException("keywords must be strings");
            if (!named.TryAdd(name, value))
            {
                throw new JinjaException($"{callee}() got multiple values for keyword argument '{name}'");
            }
        }

        return new(scope.State, callee, positional, named);
    }

    IEnumerable<KeyValuePair<object?, object?>> EvaluateEntries(Scope scope)
    {
        if (Entries is null)
        {
            return [];
        }

        var dict =
            Entries.GetValue(scope) as JinjaDict ?? throw new JinjaException("argument after ** must be a mapping");
        scope.State.Spend(dict.Count);
        return dict.Entries;
    }
}

sealed class Call(Expression callee, ArgumentList arguments) : Expression
{
    protected override object? Evaluate(Scope scope) => Invoke(scope, caller: null);

    /// <summary>Calls with one argument more, named <c>caller</c>, where it is not null.</summary>
    public object? Invoke(Scope scope, Callable? caller)
    {
        var function = GetFunction(scope);
        var given = arguments.Evaluate(function.Name, scope);
        if (caller is not null)
        {
            var named = new Dictionary<string, object?>(given.Named) { ["caller"] = caller };
            given = new(scope.State, function.Name, given.Positional, named);
        }

        return function.Invoke(given);
    }

    Callable GetFunction(Scope scope) =>
        callee.GetValue(scope) switch
        {
            Callable function => function,
            LoopVariable { Recurse: { } recurse } => new("loop", recurse),
            LoopVariable => throw new JinjaException(
                "The loop must have the 'recursive' marker to be called recursively."
            ),
            Undefined undefined => throw undefined.ToException(),
            var other => throw new JinjaException($"'{PythonText.TypeName(other)}' object is not callable"),
        };
}

sealed class FilterCall(Expression input, string name, ValueFunction<object?> filter, ArgumentList arguments)
    : Expression
{
    protected override object? Evaluate(Scope scope) =>
        filter.Invoke(input.GetValue(scope), arguments.Evaluate(name, scope));
}

sealed class TestCall(Expression input, string name, ValueFunction<bool> test, ArgumentList arguments) : Expression
{
    protected override object? Evaluate(Scope scope) =>
        test.Invoke(input.GetValue(scope), arguments.Evaluate(name, scope));
}
