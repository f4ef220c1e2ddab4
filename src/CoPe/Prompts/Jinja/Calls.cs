namespace CoPe.Prompts.Jinja;

/// <summary>The arguments of a call, a filter or a test, as written.</summary>
internal sealed record ArgumentList(IReadOnlyList<Expression> Positional, IReadOnlyList<(string Name, Expression Value)> Named)
{
    public static readonly ArgumentList None = new([], []);

    public Arguments Evaluate(string callee, Scope scope) => new(callee, [.. Positional.Select(argument => argument.Value(scope))],
        Named.ToDictionary(argument => argument.Name, argument => argument.Value.Value(scope), StringComparer.Ordinal));
}

internal sealed class Call(Expression callee, ArgumentList arguments) : Expression
{
    protected override object? Evaluate(Scope scope) => callee.Value(scope) switch
    {
        Callable function => function.Invoke(arguments.Evaluate(function.Name, scope)),
        Undefined undefined => throw undefined.Error(),
        var other => throw new JinjaError($"'{PythonText.TypeName(other)}' object is not callable"),
    };
}

internal sealed class Filter(Expression input, string name, Func<object?, Arguments, object?> filter, ArgumentList arguments) : Expression
{
    protected override object? Evaluate(Scope scope) => filter(input.Value(scope), arguments.Evaluate(name, scope));
}

internal sealed class Test(Expression input, string name, Func<object?, Arguments, bool> test, ArgumentList arguments) : Expression
{
    protected override object? Evaluate(Scope scope) => test(input.Value(scope), arguments.Evaluate(name, scope));
}
