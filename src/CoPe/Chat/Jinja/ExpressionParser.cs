using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

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
            var otherwise = tokens.TakeName("else") ? Parse() : null;
            value = new Conditional(condition, value, otherwise);
        }

        return value;
    }

    /// <summary>
    /// One expression, or a tuple of several; without <paramref name="withCondition"/> a following <c>if</c> is left to
    /// the statement.
    /// </summary>
    public Expression ParseTuple(bool withCondition = true)
    {
        var first = withCondition ? Parse() : ParseOr();
        if (!tokens.Current.IsOperator(","))
        {
            return first;
        }

        List<Expression> items = [first];
        while (tokens.TakeOperator(",") && !EndsTuple())
        {
            items.Add(withCondition ? Parse() : ParseOr());
        }

        return new ListLiteral(items, isTuple: true);
    }

    bool EndsTuple() =>
        tokens.Current.Kind is TokenKind.BlockEnd or TokenKind.PrintEnd || tokens.Current.IsOperator(")");

    Expression ParseOr()
    {
        var left = ParseAnd();
        while (tokens.TakeName("or"))
        {
            left = new LogicalOperation(isAnd: false, left, ParseAnd());
        }

        return left;
    }

    Expression ParseAnd()
    {
        var left = ParseNot();
        while (tokens.TakeName("and"))
        {
            left = new LogicalOperation(isAnd: true, left, ParseNot());
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

        var isComparison = tokens.Current.Kind == TokenKind.Operator && Comparisons.Contains(tokens.Current.Value);
        return isComparison ? tokens.Take().Value : null;
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

    Expression ParsePower() => ParseLeftAssociative(() => ParseUnary(withFilters: true), "**");

    Expression ParseLeftAssociative(Func<Expression> operand, params ReadOnlySpan<string> symbols)
    {
        var left = operand();
        while (tokens.Current.Kind == TokenKind.Operator && symbols.Contains(tokens.Current.Value))
        {
            left = new BinaryOperation(tokens.Take().Value, left, operand());
        }

        return left;
    }

    Expression ParseUnary(bool withFilters)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        var isSigned = tokens.Current.IsOperator("-") || tokens.Current.IsOperator("+");
        var operand = isSigned
            ? new UnaryOperation(tokens.Take().Value, ParseUnary(withFilters: false))
            : ParsePrimary();

        var value = ParsePostfix(operand);
        return withFilters ? ParseFiltersAndTests(value) : value;
    }

    Expression ParsePrimary()
    {
        var token = tokens.Current;
        switch (token.Kind)
        {
            case TokenKind.Name:
                return ParseName();
            case TokenKind.String:
                return ParseStrings();
            case TokenKind.Integer:
                return new Constant(ParseInteger());
            case TokenKind.Float:
                return new Constant(double.Parse(tokens.Take().Value, CultureInfo.InvariantCulture));
        }

        if (tokens.TakeOperator("("))
        {
            return ParseParenthesized();
        }

        if (tokens.TakeOperator("["))
        {
            return new ListLiteral(tokens.TakeList("]", Parse), isTuple: false);
        }

        if (tokens.TakeOperator("{"))
        {
            return new DictLiteral(tokens.TakeList("}", ParseDictEntry));
        }

        throw tokens.Unexpected("an expression");
    }

    Expression ParseName()
    {
        var name = tokens.Take().Value;
        return name switch
        {
            "true" or "True" => new Constant(true),
            "false" or "False" => new Constant(false),
            "none" or "None" => new Constant(null),
            _ => new NameReference(name),
        };
    }

    /// <summary>Strings that stand side by side are one.</summary>
    Constant ParseStrings()
    {
        var text = new StringBuilder();
        while (tokens.Current.Kind == TokenKind.String)
        {
            text.Append(tokens.Take().Value);
        }

        return new Constant(text.ToString());
    }

    long ParseInteger()
    {
        var token = tokens.Take();
        var (digits, style) = token.Value switch
        {
            ['0', 'x' or 'X', .. var hexadecimal] => (hexadecimal, NumberStyles.AllowHexSpecifier),
            ['0', 'b' or 'B', .. var binary] => (binary, NumberStyles.AllowBinarySpecifier),
            var plain => (plain, NumberStyles.None),
        };
        return long.TryParse(digits, style, CultureInfo.InvariantCulture, out var number) && number >= 0
            ? number
            : throw new JinjaSyntaxException($"the number {token.Value} is no whole number of 63 bits", token.Line);
    }

    Expression ParseParenthesized()
    {
        if (tokens.TakeOperator(")"))
        {
            return new ListLiteral([], isTuple: true);
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

    Expression ParsePostfix(Expression value)
    {
        while (true)
        {
            if (tokens.TakeOperator("."))
            {
                value = ParseMember(value);
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

    /// <summary>What stands behind a dot: a name, or an index as in <c>pair.0</c>.</summary>
    Expression ParseMember(Expression value) =>
        tokens.Current.Kind == TokenKind.Integer
            ? new Subscript(value, new Constant(ParseInteger()))
            : new AttributeAccess(value, tokens.ExpectName());

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

        if (part > 0)
        {
            return new Slice(value, bounds[0], bounds[1], bounds[2]);
        }

        var index = bounds[0] ?? throw tokens.Unexpected("an index before ']'");
        return new Subscript(value, index);
    }

    /// <summary>Arguments up to the closing bracket; the opening one is taken already.</summary>
    ArgumentList ParseArguments() => new ArgumentParser(tokens, Parse).Parse();

    public Expression ParseFiltersAndTests(Expression value)
    {
        while (true)
        {
            var line = tokens.Current.Line;
            if (tokens.TakeOperator("|"))
            {
                value = ParseFilter(value, line);
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

    /// <summary>A filter's name, and more behind bars, over a value.</summary>
    public Expression ParseFilters(Expression value)
    {
        value = ParseFilter(value, tokens.Current.Line);
        while (tokens.TakeOperator("|"))
        {
            value = ParseFilter(value, tokens.Current.Line);
        }

        return value;
    }

    FilterCall ParseFilter(Expression value, int line)
    {
        var name = tokens.ExpectName();
        var filter = Filters.Find(name) ?? throw new JinjaSyntaxException($"No filter named '{name}'.", line);
        var arguments = tokens.TakeOperator("(") ? ParseArguments() : ArgumentList.None;
        return new FilterCall(value, name, filter, arguments);
    }

    Expression ParseTest(Expression value, int line)
    {
        var isNegated = tokens.TakeName("not");
        var name = tokens.ExpectName();
        var test = Tests.Find(name) ?? throw new JinjaSyntaxException($"No test named '{name}'.", line);
        var result = new TestCall(value, name, test, ParseTestArguments());
        return isNegated ? new UnaryOperation("not", result) : result;
    }

    /// <summary>Arguments in brackets, or one without them as in <c>x is divisibleby 3</c>.</summary>
    ArgumentList ParseTestArguments()
    {
        if (tokens.TakeOperator("("))
        {
            return ParseArguments();
        }

        return StartsOperand() ? new ArgumentList([ParsePostfix(ParsePrimary())], []) : ArgumentList.None;
    }

    bool StartsOperand() =>
        tokens.Current.Kind is TokenKind.String or TokenKind.Integer or TokenKind.Float
        || tokens.Current.IsOperator("[")
        || tokens.Current.IsOperator("{")
        || (
            tokens.Current.Kind == TokenKind.Name
            && tokens.Current.Value is not ("else" or "or" or "and" or "is" or "if" or "in" or "not" or "recursive")
        );
}
