using System.Globalization;
using System.Runtime.CompilerServices;

namespace CoPe.Prompts.Jinja;

/// <summary>Reads expressions. From loosest to tightest: if-else, or, and, not, comparisons, + -, ~, * / // %, **, sign, filters and tests, members and calls.</summary>
internal sealed class ExpressionParser(TokenStream tokens)
{
    static readonly string[] Comparisons = ["==", "!=", "<", "<=", ">", ">="];

    public Expression Parse()
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        var value = Or();
        while (tokens.TakeName("if"))
        {
            var condition = Or();
            value = new Conditional(condition, value, tokens.TakeName("else") ? Parse() : null);
        }
        return value;
    }

    /// <summary>One expression, or a tuple of several; <paramref name="simple"/> leaves a following <c>if</c> to the statement.</summary>
    public Expression ParseTuple(bool simple = false)
    {
        var first = simple ? Or() : Parse();
        if (!tokens.Current.IsOperator(",")) return first;
        List<Expression> items = [first];
        while (tokens.TakeOperator(",") && !EndsTuple()) items.Add(simple ? Or() : Parse());
        return new ListLiteral(items, tuple: true);
    }

    bool EndsTuple() => tokens.Current.Kind is TokenKind.BlockEnd or TokenKind.PrintEnd || tokens.Current.IsOperator(")");

    Expression Or()
    {
        var left = And();
        while (tokens.TakeName("or")) left = new Logical(false, left, And());
        return left;
    }

    Expression And()
    {
        var left = Not();
        while (tokens.TakeName("and")) left = new Logical(true, left, Not());
        return left;
    }

    Expression Not()
    {
        if (!tokens.TakeName("not")) return Comparison();
        RuntimeHelpers.EnsureSufficientExecutionStack();
        return new Unary("not", Not());
    }

    Expression Comparison()
    {
        var first = Sum();
        var rest = new List<(string, Expression)>();
        while (TakeComparison() is { } symbol) rest.Add((symbol, Sum()));
        return rest.Count == 0 ? first : new Comparison(first, rest);
    }

    string? TakeComparison()
    {
        if (tokens.TakeName("in")) return "in";
        if (tokens.Current.IsName("not") && tokens.Following.IsName("in"))
        {
            tokens.Take();
            tokens.Take();
            return "not in";
        }
        return tokens.Current.Kind == TokenKind.Operator && Comparisons.Contains(tokens.Current.Value) ? tokens.Take().Value : null;
    }

    Expression Sum() => LeftToRight(Concatenated, "+", "-");

    Expression Concatenated()
    {
        List<Expression> parts = [Product()];
        while (tokens.TakeOperator("~")) parts.Add(Product());
        return parts.Count == 1 ? parts[0] : new Concatenation(parts);
    }

    Expression Product() => LeftToRight(Power, "*", "/", "//", "%");

    Expression Power() => LeftToRight(() => Signed(filtered: true), "**");

    Expression LeftToRight(Func<Expression> operand, params ReadOnlySpan<string> symbols)
    {
        var left = operand();
        while (tokens.Current.Kind == TokenKind.Operator && symbols.Contains(tokens.Current.Value))
            left = new Binary(tokens.Take().Value, left, operand());
        return left;
    }

    Expression Signed(bool filtered)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        Expression value;
        if (tokens.Current.IsOperator("-") || tokens.Current.IsOperator("+")) value = new Unary(tokens.Take().Value, Signed(filtered: false));
        else value = Primary();
        value = Postfix(value);
        return filtered ? Filtered(value) : value;
    }

    Expression Primary()
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
                    _ => new Name(token.Value),
                };
            case TokenKind.String:
                var text = "";
                while (tokens.Current.Kind == TokenKind.String) text += tokens.Take().Value;
                return new Constant(text);
            case TokenKind.Integer:
                tokens.Take();
                return new Constant(long.TryParse(token.Value, CultureInfo.InvariantCulture, out var whole) ? whole
                    : throw new ChatTemplateException($"the number {token.Value} is too large", token.Line));
            case TokenKind.Float:
                tokens.Take();
                return new Constant(double.Parse(token.Value, CultureInfo.InvariantCulture));
        }
        if (tokens.TakeOperator("(")) return Parenthesised();
        if (tokens.TakeOperator("[")) return new ListLiteral(ListOf("]", Parse), tuple: false);
        if (tokens.TakeOperator("{")) return new DictLiteral(ListOf("}", Entry));
        throw tokens.Unexpected("an expression");
    }

    Expression Parenthesised()
    {
        if (tokens.TakeOperator(")")) return new ListLiteral([], tuple: true);
        var value = ParseTuple();
        tokens.ExpectOperator(")");
        return value;
    }

    (Expression, Expression) Entry()
    {
        var key = Parse();
        tokens.ExpectOperator(":");
        return (key, Parse());
    }

    List<T> ListOf<T>(string close, Func<T> item)
    {
        var items = new List<T>();
        while (!tokens.TakeOperator(close))
        {
            if (items.Count > 0) tokens.ExpectOperator(",");
            if (tokens.TakeOperator(close)) break;
            items.Add(item());
        }
        return items;
    }

    Expression Postfix(Expression value)
    {
        while (true)
        {
            if (tokens.TakeOperator(".")) value = tokens.Current.Kind == TokenKind.Integer
                ? new Subscript(value, new Constant(long.Parse(tokens.Take().Value, CultureInfo.InvariantCulture))) : new Attribute(value, tokens.ExpectName());
            else if (tokens.TakeOperator("[")) value = SubscriptOf(value);
            else if (tokens.TakeOperator("(")) value = new Call(value, Arguments());
            else return value;
        }
    }

    Expression SubscriptOf(Expression value)
    {
        var bounds = new Expression?[3];
        var part = 0;
        while (!tokens.TakeOperator("]"))
        {
            if (tokens.TakeOperator(":") && ++part < 3) continue;
            if (part >= 3 || bounds[part] is not null) throw tokens.Unexpected("']'");
            bounds[part] = Parse();
        }
        return part > 0 ? new Slice(value, bounds[0], bounds[1], bounds[2]) : new Subscript(value, bounds[0] ?? throw tokens.Unexpected("an index before ']'"));
    }

    /// <summary>Arguments up to the closing bracket; the opening one is taken already.</summary>
    ArgumentList Arguments()
    {
        var named = new List<(string, Expression)>();
        var positional = ListOf(")", Expression? () =>
        {
            if (tokens.Current.Kind != TokenKind.Name || !tokens.Following.IsOperator("=")) return Parse();
            var name = tokens.ExpectName();
            tokens.Take();
            named.Add((name, Parse()));
            return null;
        });
        return new ArgumentList([.. positional.OfType<Expression>()], named);
    }

    public Expression Filtered(Expression value)
    {
        while (true)
        {
            var line = tokens.Current.Line;
            if (tokens.TakeOperator("|"))
            {
                var name = tokens.ExpectName();
                var filter = Filters.Find(name) ?? throw new ChatTemplateException($"No filter named '{name}'.", line);
                value = new Filter(value, name, filter, tokens.TakeOperator("(") ? Arguments() : ArgumentList.None);
            }
            else if (tokens.TakeName("is")) value = TestOf(value, line);
            else if (tokens.TakeOperator("(")) value = new Call(value, Arguments());
            else return value;
        }
    }

    Expression TestOf(Expression value, int line)
    {
        var negated = tokens.TakeName("not");
        var name = tokens.ExpectName();
        var test = Tests.Find(name) ?? throw new ChatTemplateException($"No test named '{name}'.", line);
        var arguments = tokens.TakeOperator("(") ? Arguments() : StartsOperand() ? new ArgumentList([Postfix(Primary())], []) : ArgumentList.None;
        Expression result = new Test(value, name, test, arguments);
        return negated ? new Unary("not", result) : result;
    }

    bool StartsOperand() => tokens.Current.Kind is TokenKind.String or TokenKind.Integer or TokenKind.Float
        || tokens.Current.IsOperator("[") || tokens.Current.IsOperator("{")
        || (tokens.Current.Kind == TokenKind.Name && tokens.Current.Value is not ("else" or "or" or "and" or "is" or "if" or "in" or "not"));
}
