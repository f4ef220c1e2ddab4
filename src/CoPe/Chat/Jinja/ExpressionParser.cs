using System.Globalization;
using System.Runtime.CompilerServices;

namespace CoPe.Chat.Jinja;

/// <summary>
/// Reads expressions. From loosest to tightest: if-else, or, and, not, comparisons, + -, ~, * / // %, **, sign, filters
/// and tests, members and calls.
/// </summary>
sealed class ExpressionParser(TokenStream tokens)
{
    static readonly string[] Comparisons = ["==", "!=", "<", "<=", ">", ">="];

    public Expression Parse()
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        var value = ParseOr();
        while (tokens.TakeName("if"))
        {
            var condition = ParseOr();
            value = new Conditional(condition, value, tokens.TakeName("else") ? Parse() : null);
        }
        return value;
    }

    /// <summary>
    /// One expression, or a tuple of several; <paramref name="simple"/> leaves a following <c>if</c> to the statement.
    /// </summary>
    public Expression ParseTuple(bool simple = false)
    {
        var first = simple ? ParseOr() : Parse();
        if (!tokens.Current.IsOperator(","))
        {
            return first;
        }

        List<Expression> items = [first];
        while (tokens.TakeOperator(",") && !EndsTuple())
        {
            items.Add(simple ? ParseOr() : Parse());
        }

        return new ListLiteral(items, tuple: true);
    }

    bool EndsTuple() =>
        tokens.Current.Kind is TokenKind.BlockEnd or TokenKind.PrintEnd || tokens.Current.IsOperator(")");

    Expression ParseOr()
    {
        var left = ParseAnd();
        while (tokens.TakeName("or"))
        {
            left = new LogicalOperation(false, left, ParseAnd());
        }

        return left;
    }

    Expression ParseAnd()
    {
        var left = ParseNot();
        while (tokens.TakeName("and"))
        {
            left = new LogicalOperation(true, left, ParseNot());
        }

        return left;
    }

    Expression ParseNot()
    {
        if (!tokens.TakeName("not"))
        {
            return ParseComparison();
        }

        RuntimeHelpers.EnsureSufficientExecutionStack();
        return new UnaryOperation("not", ParseNot());
    }

    Expression ParseComparison()
    {
        var first = ParseSum();
        var rest = new List<(string, Expression)>();
        while (TakeComparisonOperator() is { } symbol)
        {
            rest.Add((symbol, ParseSum()));
        }

        return rest.Count == 0 ? first : new Comparison(first, rest);
    }

    string? TakeComparisonOperator()
    {
        if (tokens.TakeName("in"))
        {
            return "in";
        }

        if (tokens.Current.IsName("not") && tokens.Next.IsName("in"))
        {
            tokens.Take();
            tokens.Take();
            return "not in";
        }
        return tokens.Current.Kind == TokenKind.Operator && Comparisons.Contains(tokens.Current.Value)
            ? tokens.Take().Value
            : null;
    }

    Expression ParseSum() => ParseLeftAssociative(ParseConcatenation, "+", "-");

    Expression ParseConcatenation()
    {
        List<Expression> parts = [ParseProduct()];
        while (tokens.TakeOperator("~"))
        {
            parts.Add(ParseProduct());
        }

        return parts.Count == 1 ? parts[0] : new Concatenation(parts);
    }

    Expression ParseProduct() => ParseLeftAssociative(ParsePower, "*", "/", "//", "%");

    Expression ParsePower() => ParseLeftAssociative(() => ParseUnary(filtered: true), "**");

    Expression ParseLeftAssociative(Func<Expression> operand, params ReadOnlySpan<string> symbols)
    {
        var left = operand();
        while (tokens.Current.Kind == TokenKind.Operator && symbols.Contains(tokens.Current.Value))
        {
            left = new BinaryOperation(tokens.Take().Value, left, operand());
        }

        return left;
    }

    Expression ParseUnary(bool filtered)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        Expression value;
        if (tokens.Current.IsOperator("-") || tokens.Current.IsOperator("+"))
        {
            value = new UnaryOperation(tokens.Take().Value, ParseUnary(filtered: false));
        }
        else
        {
            value = ParsePrimary();
        }

        value = ParsePostfix(value);
        return filtered ? ParseFiltersAndTests(value) : value;
    }

    Expression ParsePrimary()
    {
        var token = tokens.Current;
        switch (token.Kind)
        {
            case TokenKind.Name:
                tokens.Take();
                return token.Value switch
                {
                    "true" or "True" => new Constant(true),
                    "false" or "False" => new Constant(false),
                    "none" or "None" => new Constant(null),
                    _ => new NameReference(token.Value),
                };
            case TokenKind.String:
                var text = "";
                while (tokens.Current.Kind == TokenKind.String)
                {
                    text += tokens.Take().Value;
                }

                return new Constant(text);
            case TokenKind.Integer:
                tokens.Take();
                return new Constant(
                    long.TryParse(token.Value, CultureInfo.InvariantCulture, out var whole)
                        ? whole
                        : throw new ChatTemplateException($"the number {token.Value} is too large", token.Line)
                );
            case TokenKind.Float:
                tokens.Take();
                return new Constant(double.Parse(token.Value, CultureInfo.InvariantCulture));
        }
        if (tokens.TakeOperator("("))
        {
            return ParseParenthesized();
        }

        if (tokens.TakeOperator("["))
        {
            return new ListLiteral(ParseList("]", Parse), tuple: false);
        }

        if (tokens.TakeOperator("{"))
        {
            return new DictLiteral(ParseList("}", ParseDictEntry));
        }

        throw tokens.Unexpected("an expression");
    }

    Expression ParseParenthesized()
    {
        if (tokens.TakeOperator(")"))
        {
            return new ListLiteral([], tuple: true);
        }

        var value = ParseTuple();
        tokens.ExpectOperator(")");
        return value;
    }

    (Expression, Expression) ParseDictEntry()
    {
        var key = Parse();
        tokens.ExpectOperator(":");
        return (key, Parse());
    }

    List<T> ParseList<T>(string close, Func<T> item)
    {
        var items = new List<T>();
        while (!tokens.TakeOperator(close))
        {
            if (items.Count > 0)
            {
                tokens.ExpectOperator(",");
            }

            if (tokens.TakeOperator(close))
            {
                break;
            }

            items.Add(item());
        }
        return items;
    }

    Expression ParsePostfix(Expression value)
    {
        while (true)
        {
            if (tokens.TakeOperator("."))
            {
                value =
                    tokens.Current.Kind == TokenKind.Integer
                        ? new Subscript(
                            value,
                            new Constant(long.Parse(tokens.Take().Value, CultureInfo.InvariantCulture))
                        )
                        : new AttributeAccess(value, tokens.ExpectName());
            }
            else if (tokens.TakeOperator("["))
            {
                value = ParseSubscript(value);
            }
            else if (tokens.TakeOperator("("))
            {
                value = new Call(value, ParseArguments());
            }
            else
            {
                return value;
            }
        }
    }

    Expression ParseSubscript(Expression value)
    {
        var bounds = new Expression?[3];
        var part = 0;
        while (!tokens.TakeOperator("]"))
        {
            if (tokens.TakeOperator(":") && ++part < 3)
            {
                continue;
            }

            if (part >= 3 || bounds[part] is not null)
            {
                throw tokens.Unexpected("']'");
            }

            bounds[part] = Parse();
        }
        return part > 0
            ? new Slice(value, bounds[0], bounds[1], bounds[2])
            : new Subscript(value, bounds[0] ?? throw tokens.Unexpected("an index before ']'"));
    }

    /// <summary>Arguments up to the closing bracket; the opening one is taken already.</summary>
    ArgumentList ParseArguments()
    {
        var named = new List<(string, Expression)>();
        var positional = ParseList(
            ")",
            Expression? () =>
            {
                if (tokens.Current.Kind != TokenKind.Name || !tokens.Next.IsOperator("="))
                {
                    return Parse();
                }

                var name = tokens.ExpectName();
                tokens.Take();
                named.Add((name, Parse()));
                return null;
            }
        );
        return new ArgumentList([.. positional.OfType<Expression>()], named);
    }

    public Expression ParseFiltersAndTests(Expression value)
    {
        while (true)
        {
            var line = tokens.Current.Line;
            if (tokens.TakeOperator("|"))
            {
                var name = tokens.ExpectName();
                var filter = Filters.Find(name) ?? throw new ChatTemplateException($"No filter named '{name}'.", line);
                value = new FilterCall(
                    value,
                    name,
                    filter,
                    tokens.TakeOperator("(") ? ParseArguments() : ArgumentList.None
                );
            }
            else if (tokens.TakeName("is"))
            {
                value = ParseTest(value, line);
            }
            else if (tokens.TakeOperator("("))
            {
                value = new Call(value, ParseArguments());
            }
            else
            {
                return value;
            }
        }
    }

    Expression ParseTest(Expression value, int line)
    {
        var negated = tokens.TakeName("not");
        var name = tokens.ExpectName();
        var test = Tests.Find(name) ?? throw new ChatTemplateException($"No test named '{name}'.", line);
        var arguments =
            tokens.TakeOperator("(") ? ParseArguments()
            : StartsOperand() ? new ArgumentList([ParsePostfix(ParsePrimary())], [])
            : ArgumentList.None;
        Expression result = new TestCall(value, name, test, arguments);
        return negated ? new UnaryOperation("not", result) : result;
    }

    bool StartsOperand() =>
        tokens.Current.Kind is TokenKind.String or TokenKind.Integer or TokenKind.Float
        || tokens.Current.IsOperator("[")
        || tokens.Current.IsOperator("{")
        || (
            tokens.Current.Kind == TokenKind.Name
            && tokens.Current.Value is not ("else" or "or" or "and" or "is" or "if" or "in" or "not")
        );
}
