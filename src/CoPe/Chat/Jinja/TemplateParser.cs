using System.Runtime.CompilerServices;

namespace CoPe.Chat.Jinja;

/// <summary>Reads the statements of a template.</summary>
sealed class TemplateParser
{
    readonly TokenStream _tokens;
    readonly ExpressionParser _expressions;

    TemplateParser(TokenStream tokens) => (_tokens, _expressions) = (tokens, new ExpressionParser(tokens));

    public static IReadOnlyList<Statement> Parse(string source)
    {
        var parser = new TemplateParser(new TokenStream(TemplateLexer.Tokenize(source)));
        return parser.ParseBody([]);
    }

    /// <summary>
    /// Statements up to a tag that begins with one of the names, which stays to be taken; up to the end where no names
    /// are given.
    /// </summary>
    List<Statement> ParseBody(ReadOnlySpan<string> ends)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        var statements = new List<Statement>();
        while (true)
        {
            var token = _tokens.Current;
            switch (token.Kind)
            {
                case TokenKind.Text:
                    statements.Add(new TextStatement(token.Line, _tokens.Take().Value));
                    break;
                case TokenKind.PrintBegin:
                    statements.Add(ParsePrint(token.Line));
                    break;
                case TokenKind.BlockBegin:
                    _tokens.Take();
                    if (ends.Contains(_tokens.Current.Value))
                    {
                        return statements;
                    }

                    statements.Add(ParseStatement(token.Line));
                    break;
                default:
                    return ends.Length == 0
                        ? statements
                        : throw _tokens.Unexpected(string.Join(" or ", ends.ToArray()));
            }
        }
    }

    PrintStatement ParsePrint(int line)
    {
        _tokens.Take();
        var value = _expressions.ParseTuple();
        _tokens.Expect(TokenKind.PrintEnd);
        return new PrintStatement(line, value);
    }

    Statement ParseStatement(int line)
    {
        var name = _tokens.ExpectName();
        return name switch
        {
            "if" => ParseIf(line),
            "for" => ParseFor(line),
            "set" => ParseSet(line),
            "macro" => ParseMacro(line),
            "break" => EndTag(new LoopControlStatement(line, Flow.Break)),
            "continue" => EndTag(new LoopControlStatement(line, Flow.Continue)),
            // Marks the assistant's words, prints them as they are.
            "generation" => EndTag(new BlockStatement(line, ParseBlockBody("endgeneration"))),
            _ => throw new JinjaSyntaxException(
                $"the tag '{name}' is not supported (supported: if, for, set, macro, break, continue, raw, generation)",
                line
            ),
        };
    }

    List<Statement> ParseBlockBody(params ReadOnlySpan<string> ends)
    {
        _tokens.Expect(TokenKind.BlockEnd);
        var body = ParseBody(ends);
        if (ends.Length == 1)
        {
            _tokens.ExpectName(ends[0]);
        }

        return body;
    }

    /// <summary>The statement, once the closing characters of its tag are taken.</summary>
    T EndTag<T>(T statement)
    {
        _tokens.Expect(TokenKind.BlockEnd);
        return statement;
    }

    IfStatement ParseIf(int line)
    {
        var branches = new List<(Expression?, IReadOnlyList<Statement>)>();
        do
        {
            var condition = _expressions.ParseTuple();
            branches.Add((condition, ParseBlockBody("elif", "else", "endif")));
        } while (_tokens.TakeName("elif"));

        if (_tokens.TakeName("else"))
        {
            branches.Add((null, ParseBlockBody("endif")));
        }
        else
        {
            _tokens.ExpectName("endif");
        }

        return EndTag(new IfStatement(line, branches));
    }

    ForStatement ParseFor(int line)
    {
        var target = ParseTarget(allowAttributes: false);
        _tokens.ExpectName("in");
        var items = _expressions.ParseTuple(withCondition: false);
        var condition = _tokens.TakeName("if") ? _expressions.Parse() : null;
        if (_tokens.Current.IsName("recursive"))
        {
            throw new JinjaSyntaxException("recursive loops are not supported", line);
        }

        var body = ParseBlockBody("else", "endfor");
        List<Statement> elseBody = [];
        if (_tokens.TakeName("else"))
        {
            elseBody = ParseBlockBody("endfor");
        }
        else
        {
            _tokens.ExpectName("endfor");
        }

        return EndTag(
            new ForStatement(line)
            {
                Target = target,
                Items = items,
                Condition = condition,
                Body = body,
                ElseBody = elseBody,
            }
        );
    }

    Statement ParseSet(int line)
    {
        var target = ParseTarget(allowAttributes: true);
        if (_tokens.TakeOperator("="))
        {
            return EndTag(new SetStatement(line, target, _expressions.ParseTuple()));
        }

        var value = _expressions.ParseFiltersAndTests(new NameReference(SetBlockStatement.PrintedName));
        return EndTag(new SetBlockStatement(line, target, ParseBlockBody("endset"), value));
    }

    MacroStatement ParseMacro(int line)
    {
        var name = _tokens.ExpectName();
        var parameters = new List<(string, Expression?)>();
        _tokens.ExpectOperator("(");
        while (!_tokens.TakeOperator(")"))
        {
            if (parameters.Count > 0)
            {
                _tokens.ExpectOperator(",");
            }

            var parameter = _tokens.ExpectName();
            var defaultValue = _tokens.TakeOperator("=") ? _expressions.Parse() : null;
            parameters.Add((parameter, defaultValue));
        }

        return EndTag(new MacroStatement(line, name, parameters, ParseBlockBody("endmacro")));
    }

    AssignmentTarget ParseTarget(bool allowAttributes)
    {
        List<AssignmentTarget> targets = [];
        do
        {
            if (_tokens.TakeOperator("("))
            {
                targets.Add(ParseTarget(allowAttributes));
                _tokens.ExpectOperator(")");
                continue;
            }

            var name = _tokens.ExpectName();
            var hasAttribute = allowAttributes && _tokens.TakeOperator(".");
            var attribute = hasAttribute ? _tokens.ExpectName() : null;
            targets.Add(new AssignmentTarget(name, attribute, []));
        } while (_tokens.TakeOperator(","));
        return targets.Count == 1 ? targets[0] : new AssignmentTarget(null, null, targets);
    }
}
