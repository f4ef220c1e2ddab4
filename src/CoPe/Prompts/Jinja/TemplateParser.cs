using System.Runtime.CompilerServices;

namespace CoPe.Prompts.Jinja;

/// <summary>Reads the statements of a template.</summary>
internal sealed class TemplateParser
{
    readonly TokenStream _tokens;
    readonly ExpressionParser _expressions;

    TemplateParser(TokenStream tokens) => (_tokens, _expressions) = (tokens, new ExpressionParser(tokens));

    public static IReadOnlyList<Statement> Parse(string source)
    {
        var parser = new TemplateParser(new TokenStream(TemplateLexer.Run(source)));
        return parser.Body([]);
    }

    // Statements up to a block that begins with one of the names, of which the name is taken; up to the end where there are none.
    List<Statement> Body(ReadOnlySpan<string> ends)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        var statements = new List<Statement>();
        while (true)
        {
            var token = _tokens.Current;
            switch (token.Kind)
            {
                case TokenKind.Text: statements.Add(new TextStatement(token.Line, _tokens.Take().Value)); break;
                case TokenKind.PrintBegin: statements.Add(Print(token.Line)); break;
                case TokenKind.BlockBegin:
                    _tokens.Take();
                    if (ends.Contains(_tokens.Current.Value)) return statements;
                    statements.Add(Statement(token.Line));
                    break;
                default:
                    return ends.Length == 0 ? statements : throw _tokens.Unexpected(string.Join(" or ", ends.ToArray()));
            }
        }
    }

    PrintStatement Print(int line)
    {
        _tokens.Take();
        var value = _expressions.ParseTuple();
        _tokens.Expect(TokenKind.PrintEnd);
        return new PrintStatement(line, value);
    }

    Statement Statement(int line)
    {
        var name = _tokens.ExpectName();
        return name switch
        {
            "if" => IfStatement(line),
            "for" => ForStatement(line),
            "set" => SetStatement(line),
            "macro" => MacroStatement(line),
            "break" => Ended(new LeaveLoop(line, Flow.Break)),
            "continue" => Ended(new LeaveLoop(line, Flow.Continue)),
            "generation" => Ended(new Block(line, BlockBody("endgeneration"))), // marks the assistant's words, prints them as they are
            _ => throw new ChatTemplateException(
                $"the tag '{name}' is not supported (supported: if, for, set, macro, break, continue, raw, generation)", line),
        };
    }

    List<Statement> BlockBody(params ReadOnlySpan<string> ends)
    {
        _tokens.Expect(TokenKind.BlockEnd);
        var body = Body(ends);
        if (ends.Length == 1) _tokens.ExpectName(ends[0]);
        return body;
    }

    T Ended<T>(T statement)
    {
        _tokens.Expect(TokenKind.BlockEnd);
        return statement;
    }

    If IfStatement(int line)
    {
        var branches = new List<(Expression?, IReadOnlyList<Statement>)>();
        do
        {
            var condition = _expressions.ParseTuple();
            branches.Add((condition, BlockBody("elif", "else", "endif")));
        }
        while (_tokens.TakeName("elif"));
        if (_tokens.TakeName("else")) branches.Add((null, BlockBody("endif")));
        else _tokens.ExpectName("endif");
        return Ended(new If(line, branches));
    }

    Loop ForStatement(int line)
    {
        var target = TargetOf(attributes: false);
        _tokens.ExpectName("in");
        var items = _expressions.ParseTuple(simple: true);
        var condition = _tokens.TakeName("if") ? _expressions.Parse() : null;
        if (_tokens.Current.IsName("recursive")) throw new ChatTemplateException("recursive loops are not supported", line);
        var body = BlockBody("else", "endfor");
        var otherwise = _tokens.TakeName("else") ? BlockBody("endfor") : null;
        if (otherwise is null) _tokens.ExpectName("endfor");
        return Ended(new Loop(line) { Target = target, Items = items, Condition = condition, Body = body, Otherwise = otherwise ?? [] });
    }

    Statement SetStatement(int line)
    {
        var target = TargetOf(attributes: true);
        if (_tokens.TakeOperator("=")) return Ended(new Set(line, target, _expressions.ParseTuple()));
        var value = _expressions.Filtered(new Name(SetBlock.Printed));
        return Ended(new SetBlock(line, target, BlockBody("endset"), value));
    }

    Macro MacroStatement(int line)
    {
        var name = _tokens.ExpectName();
        var parameters = new List<(string, Expression?)>();
        _tokens.ExpectOperator("(");
        while (!_tokens.TakeOperator(")"))
        {
            if (parameters.Count > 0) _tokens.ExpectOperator(",");
            parameters.Add((_tokens.ExpectName(), _tokens.TakeOperator("=") ? _expressions.Parse() : null));
        }
        return Ended(new Macro(line, name, parameters, BlockBody("endmacro")));
    }

    Target TargetOf(bool attributes)
    {
        List<Target> targets = [];
        do
        {
            if (_tokens.TakeOperator("("))
            {
                targets.Add(TargetOf(attributes));
                _tokens.ExpectOperator(")");
                continue;
            }
            var name = _tokens.ExpectName();
            targets.Add(new Target(name, attributes && _tokens.TakeOperator(".") ? _tokens.ExpectName() : null, []));
        }
        while (_tokens.TakeOperator(","));
        return targets.Count == 1 ? targets[0] : new Target(null, null, targets);
    }
}
