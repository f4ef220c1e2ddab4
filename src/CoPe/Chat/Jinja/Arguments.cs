namespace CoPe.Chat.Jinja;

/// <summary>Something a template can call, with arguments as they come.</summary>
sealed record Callable(string Name, Func<Arguments, object?> Invoke)
{
    /// <summary>One that takes these parameters and no others.</summary>
    public static Callable WithParameters(string name, Func<Arguments, object?> invoke, params string[] parameters) =>
        new(name, arguments => invoke(arguments.Bind(parameters)));
}

/// <summary>A filter or test: takes the value before the bar, and arguments.</summary>
/// <param name="Body">What it does.</param>
/// <param name="Parameters">Names of its parameters in order; null where it looks at its arguments itself.</param>
sealed record ValueFunction<T>(Func<object?, Arguments, T> Body, params string[]? Parameters)
{
    public T Invoke(object? value, Arguments arguments)
    {
        arguments.State.SpendOn(value);
        return Body(value, Parameters is null ? arguments : arguments.Bind(Parameters));
    }
}

/// <summary>Arguments of a call.</summary>
sealed class Arguments(
    RenderState state,
    string callee,
    IReadOnlyList<object?> positional,
    IReadOnlyDictionary<string, object?> named
)
{
    public RenderState State => state;

    public IReadOnlyList<object?> Positional => positional;

    public IReadOnlyDictionary<string, object?> Named => named;

    /// <summary>The same arguments, where they are among the parameters and none is given twice.</summary>
    public Arguments Bind(string[] parameters)
    {
        if (positional.Count > parameters.Length)
        {
            throw new JinjaException(
                $"{callee}() takes at most {parameters.Length} argument(s), {positional.Count} were given"
            );
        }

        foreach (var name in named.Keys)
        {
            var index = Array.IndexOf(parameters, name);
            if (index < 0)
            {
                throw new JinjaException($"{callee}() got an unexpected keyword argument '{name}'");
            }

            if (index < positional.Count)
            {
                throw new JinjaException($"{callee}() got multiple values for argument '{name}'");
            }
        }

        return this;
    }

    public void RefuseNamed()
    {
        if (named.Keys.FirstOrDefault() is { } name)
        {
            throw new JinjaException($"{callee}() got an unexpected keyword argument '{name}'");
        }
    }

    public bool Has(int index, string name) => index < positional.Count || named.ContainsKey(name);

    /// <summary>The argument at a position or of a name, or the default.</summary>
    public object? Get(int index, string name, object? defaultValue = null) =>
        index < positional.Count ? positional[index] : named.GetValueOrDefault(name, defaultValue);

    public object? Require(int index, string name) =>
        Has(index, name) ? Get(index, name) : throw new JinjaException($"{callee}() is missing the argument '{name}'");

    public string RequireString(int index, string name) =>
        Require(index, name) is string text ? text : throw new JinjaException($"{callee}() needs text as '{name}'");

    public bool IsTrue(int index, string name) => Operators.IsTrue(Get(index, name));

    /// <summary>A whole number, within what a list can have; null for none.</summary>
    public int? GetInteger(int index, string name)
    {
        var value = Get(index, name);
        if (value is null)
        {
            return null;
        }

        return Operators.TryNumber(value, out _, out var whole) && whole is { } number
            ? (int)Math.Clamp(number, -int.MaxValue, int.MaxValue)
            : throw new JinjaException($"{callee}() needs a whole number as '{name}'");
    }

    public int RequireInteger(int index, string name) =>
        GetInteger(index, name) ?? throw new JinjaException($"{callee}() is missing the argument '{name}'");

    public Arguments Skip(int count) => new(state, callee, [.. positional.Skip(count)], named);
}
