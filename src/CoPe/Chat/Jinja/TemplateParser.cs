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
            "call" => ParseCall(line),
            "filter" => ParseFilter(line),
            "with" => ParseWith(line),
            "break" => EndTag(new LoopControlStatement(line, Flow.Break)),
            "continue" => EndTag(new LoopControlStatement(line, Flow.Continue)),
            // Marks the assistant's words, prints them as they are.
            "generation" => EndTag(new BlockStatement(line, ParseBlockBody("endgeneration"))),
            _ => throw new JinjaSyntaxException(
                $"the tag '{name}' is not supported (supported: if, for, set, with, filter, macro, call, break, "
                    + "continue, raw, generation)",
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
        var isRecursive = _tokens.TakeName("recursive");
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
                IsRecursive = isRecursive,
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

        var value = _expressions.ParseFiltersAndTests(new NameReference(FilteredBody.PrintedName));
        return EndTag(new SetBlockStatement(line, target, new(ParseBlockBody("endset"), value)));
    }

    FilterStatement ParseFilter(int line)
    {
        var value = _expressions.ParseFilters(new NameReference(FilteredBody.PrintedName));
        return EndTag(new FilterStatement(line, new(ParseBlockBody("endfilter"), value)));
    }

    WithStatement ParseWith(int line)
    {
        var names = new List<(AssignmentTarget, Expression)>();
        while (_tokens.Current.Kind != TokenKind.BlockEnd)
        {
            if (names.Count > 0)
            {
                _tokens.ExpectOperator(",");
            }

            var target = ParseOneTarget(allowAttributes: false);
            _tokens.ExpectOperator("=");
            names.Add((target, _expressions.Parse()));
        }

        return EndTag(new WithStatement(line, names, ParseBlockBody("endwith")));
    }

    MacroStatement ParseMacro(int line)
    {
        var name = _tokens.ExpectName();
        return EndTag(new MacroStatement(line, ParseMacroParts(name, ParseParameters(), "endmacro")));
    }

    CallStatement ParseCall(int line)
    {
        var parameters = _tokens.Current.IsOperator("(") ? ParseParameters() : [];
        var call = _expressions.Parse() as Call ?? throw new JinjaSyntaxException("expected call", line);
        return EndTag(new CallStatement(line, call, ParseMacroParts("caller", parameters, "endcall")));
    }

    Macro ParseMacroParts(string name, List<(string, Expression?)> parameters, string end)
    {
        var start = _tokens.Position;
        var body = ParseBlockBody(end);
        var used = Macro.Extras.Where(extra => _tokens.HasName(extra, start)).ToHashSet();
        return new(name, parameters, body) { UsedExtras = used };
    }

    List<(string Name, Expression? Default)> ParseParameters()
    {
        var parameters = new List<(string Name, Expression? Default)>();
        _tokens.ExpectOperator("(");
        while (!_tokens.TakeOperator(")"))
        {
            if (parameters.Count > 0)
            {
                _tokens.ExpectOperator(",");
            }

            var line = _tokens.Current.Line;
            var parameter = _tokens.ExpectName();
            var defaultValue = _tokens.TakeOperator("=") ? _expressions.Parse() : null;
            if (defaultValue is null && parameters.Any(earlier => earlier.Default is not null))
            {
                throw new JinjaSyntaxException("non-default argument follows default argument", line);
            }

            parameters.Add((parameter, defaultValue));
        }

        return parameters;
    }

    AssignmentTarget ParseTarget(bool allowAttributes)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        List<AssignmentTarget> targets = [];
        do
        {
            targets.Add(ParseOneTarget(allowAttributes));
        } while (_tokens.TakeOperator(","));
        return targets.Count > 1 ? new AssignmentTarget(null, null, targets) : targets[0];
    }

    AssignmentTarget ParseOneTarget(bool allowAttributes)
    {
        if (_tokens.TakeOperator("("))
        {
            var inner = ParseTarget(allowAttributes);
            _tokens.ExpectOperator(")");
            return inner;
        }

        var name = _tokens.ExpectName();
        var hasAttribute = allowAttributes && _tokens.TakeOperator(".");
        return new AssignmentTarget(name, hasAttribute ? _tokens.ExpectName() : null, []);
    }
}
