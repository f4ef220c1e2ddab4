using System.Text;

namespace CoPe.Prompts.Jinja;

/// <summary><c>for target in items if condition</c>, with an else for no items. Each turn has its own scope.</summary>
internal sealed class Loop(int line) : Statement(line)
{
    public required Target Target { get; init; }
    public required Expression Items { get; init; }
    public Expression? Condition { get; init; }
    public required IReadOnlyList<Statement> Body { get; init; }
    public IReadOnlyList<Statement> Otherwise { get; init; } = [];

    protected override Flow Execute(Scope scope, StringBuilder output)
    {
        var items = Chosen(scope);
        if (items.Count == 0) return RunAll(Otherwise, scope.Inner(), output);
        for (var i = 0; i < items.Count; i++)
        {
            scope.Run.Step();
            var turn = scope.Inner();
            turn["loop"] = State(items, i);
            Target.Assign(turn, items[i]);
            if (RunAll(Body, turn, output) == Flow.Break) break;
        }
        return Flow.Next;
    }

    IReadOnlyList<object?> Chosen(Scope scope)
    {
        var items = Operators.Items(Items.Value(scope));
        if (Condition is null) return items;
        return [.. items.Where(item =>
        {
            scope.Run.Step();
            var turn = scope.Inner();
            Target.Assign(turn, item);
            return Operators.IsTrue(Condition.Value(turn));
        })];
    }

    static JinjaNamespace State(IReadOnlyList<object?> items, int i)
    {
        var state = new JinjaNamespace();
        var attributes = state.Attributes;
        attributes["index"] = i + 1L;
        attributes["index0"] = (long)i;
        attributes["revindex"] = (long)items.Count - i;
        attributes["revindex0"] = items.Count - i - 1L;
        attributes["first"] = i == 0;
        attributes["last"] = i == items.Count - 1;
        attributes["length"] = (long)items.Count;
        attributes["previtem"] = i > 0 ? items[i - 1] : new Undefined("there is no previous item");
        attributes["nextitem"] = i + 1 < items.Count ? items[i + 1] : new Undefined("there is no next item");
        attributes["cycle"] = new Callable("cycle", arguments => arguments.Positional.Count > 0
            ? arguments.Positional[i % arguments.Positional.Count] : throw new JinjaError("no items for cycling given"));
        return state;
    }
}
