using System.Text;

namespace CoPe.Prompts.Jinja;

/// <summary>A named body with parameters, which prints into the value of its call.</summary>
internal sealed class Macro(int line, string name, IReadOnlyList<(string Name, Expression? Default)> parameters, IReadOnlyList<Statement> body) : Statement(line)
{
    protected override Flow Execute(Scope scope, StringBuilder output)
    {
        scope[name] = new Callable(name, arguments => Invoke(scope, arguments));
        return Flow.Next;
    }

    string Invoke(Scope outer, Arguments arguments)
    {
        if (arguments.Positional.Count > parameters.Count) throw new JinjaError($"macro '{name}' takes not more than {parameters.Count} argument(s)");
        var unknown = arguments.Named.Keys.FirstOrDefault(given => parameters.All(parameter => parameter.Name != given));
        if (unknown is not null) throw new JinjaError($"macro '{name}' takes no keyword argument '{unknown}'");
        var scope = outer.Inner();
        for (var i = 0; i < parameters.Count; i++)
        {
            var (parameter, absent) = parameters[i];
            var given = i < arguments.Positional.Count || arguments.Named.ContainsKey(parameter);
            scope[parameter] = given ? arguments.Get(i, parameter) : absent?.Value(scope) ?? (absent is null ? new Undefined($"parameter '{parameter}' was not provided") : null);
        }
        var printed = new StringBuilder();
        RunAll(body, scope, printed);
        return printed.ToString();
    }
}
