using System.Text;

namespace CoPe.Chat.Jinja;

/// <summary>The parameters and the body of a macro, or of what a call hands to one.</summary>
/// <param name="Name">Its name, for errors.</param>
/// <param name="Parameters">Names, and defaults where they have any.</param>
/// <param name="Body">What it prints.</param>
sealed record Macro(
    string Name,
    IReadOnlyList<(string Name, Expression? Default)> Parameters,
    IReadOnlyList<Statement> Body
)
{
    const string Varargs = "varargs";
    const string Kwargs = "kwargs";
    const string Caller = "caller";

    /// <summary>Names that stand for arguments beyond the parameters, where the body reads them.</summary>
    public static readonly string[] Extras = [Varargs, Kwargs, Caller];

    /// <summary>Those of <see cref="Extras"/> that the body reads.</summary>
    public required IReadOnlySet<string> UsedExtras { get; init; }

    public Callable CreateCallable(Scope outer) => new(Name, arguments => Invoke(outer, arguments));

    string Invoke(Scope outer, Arguments arguments)
    {
        var scope = outer.CreateInner();
        BindExtras(scope, arguments);
        for (var i = 0; i < Parameters.Count; i++)
        {
            var (parameter, defaultValue) = Parameters[i];
            if (i < arguments.Positional.Count && arguments.Named.ContainsKey(parameter))
            {
                throw new JinjaException($"macro '{Name}' got multiple values for argument '{parameter}'");
            }

            scope[parameter] = arguments.Has(i, parameter)
                ? arguments.Get(i, parameter)
                : GetDefault(parameter, defaultValue, scope);
        }

        var printed = new StringBuilder();
        Statement.RenderAll(Body, scope, printed);
        return printed.ToString();
    }

    void BindExtras(Scope scope, Arguments arguments)
    {
        var excess = arguments.Positional.Skip(Parameters.Count).ToArray();
        if (excess.Length > 0 && !UsedExtras.Contains(Varargs))
        {
            throw new JinjaException($"macro '{Name}' takes not more than {Parameters.Count} argument(s)");
        }

        var kwargs = new JinjaDict();
        scope[Caller] = new Undefined("No caller defined");
        foreach (var (name, value) in arguments.Named.Where(one => Parameters.All(known => known.Name != one.Key)))
        {
            if (name == Caller && UsedExtras.Contains(Caller))
            {
                scope[Caller] = value;
            }
            else if (UsedExtras.Contains(Kwargs))
            {
                kwargs[name] = value;
            }
            else
            {
                throw new JinjaException($"macro '{Name}' takes no keyword argument '{name}'");
            }
        }

        scope[Varargs] = excess;
        scope[Kwargs] = kwargs;
    }

    static object? GetDefault(string parameter, Expression? value, Scope scope) =>
        value is null ? new Undefined($"parameter '{parameter}' was not provided") : value.GetValue(scope);
}

/// <summary>A macro under its name.</summary>
sealed class MacroStatement(int line, Macro macro) : Statement(line)
{
    protected override Flow Execute(Scope scope, StringBuilder output)
    {
        scope[macro.Name] = macro.CreateCallable(scope);
        return Flow.Next;
    }
}

/// <summary><c>call macro(...)</c> with a body, which the macro prints as <c>caller()</c>.</summary>
sealed class CallStatement(int line, Call call, Macro caller) : Statement(line)
{
    protected override Flow Execute(Scope scope, StringBuilder output)
    {
        var value = call.Invoke(scope, caller.CreateCallable(scope));
        RenderState.Append(output, PythonText.Str(scope.State, value));
        return Flow.Next;
    }
}
