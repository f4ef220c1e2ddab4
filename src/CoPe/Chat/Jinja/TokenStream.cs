namespace CoPe.Chat.Jinja;

enum TokenKind
{
    Text,
    BlockBegin,
    BlockEnd,
    PrintBegin,
    PrintEnd,
    Name,
    String,
    Integer,
    Float,
    Operator,
    End,
}

/// <summary>A piece of a template's source.</summary>
readonly record struct Token(TokenKind Kind, string Value, int Line)
{
    public bool IsName(string name) => Kind == TokenKind.Name && Value == name;

    public bool IsOperator(string symbol) => Kind == TokenKind.Operator && Value == symbol;

    public override string ToString() =>
        Kind switch
        {
            TokenKind.End => "the end of the template",
            TokenKind.BlockEnd => "%}",
            TokenKind.PrintEnd => "}}",
            _ => $"'{Value}'",
        };
}

/// <summary>Tokens with a place to read from. The last one, the end, is never passed.</summary>
sealed class TokenStream(List<Token> tokens)
{
    int _position;

    public int Position => _position;

    public Token Current => tokens[_position];

    public Token Next => tokens[Math.Min(_position + 1, tokens.Count - 1)];

    public Token Take()
    {
        var token = Current;
        if (_position < tokens.Count - 1)
        {
            _position++;
        }

        return token;
    }

    public bool TakeName(string name) => TakeIf(Current.IsName(name));

    public bool TakeOperator(string symbol) => TakeIf(Current.IsOperator(symbol));

    public string ExpectName() => Current.Kind == TokenKind.Name ? Take().Value : throw Unexpected("a name");

    public void ExpectName(string name)
    {
        if (!TakeName(name))
        {
            throw Unexpected($"'{name}'");
        }
    }

    /// <summary>Whether a name was among the tokens taken since a position.</summary>
    public bool HasName(string name, int since) =>
        tokens.Skip(since).Take(_position - since).Any(token => token.IsName(name));

    public void ExpectOperator(string symbol)
    {
        if (!TakeOperator(symbol))
        {
            throw Unexpected($"'{symbol}'");
        }
    }

    public void Expect(TokenKind kind)
    {
        if (!TakeIf(Current.Kind == kind))
        {
            throw Unexpected(kind == TokenKind.BlockEnd ? "'%}'" : "'}}'");
        }
    }

    /// <summary>Items between commas, up to a closing sign, which is taken; a comma may stand before it.</summary>
    public List<T> TakeList<T>(string close, Func<T> item)
    {
        var items = new List<T>();
        while (!TakeOperator(close))
        {
            if (items.Count > 0)
            {
                ExpectOperator(",");
            }

            if (TakeOperator(close))
            {
                break;
            }

            items.Add(item());
        }

        return items;
    }

    public JinjaSyntaxException Unexpected(string expected) =>
        new($"found {Current} where {expected} was expected", Current.Line);

    bool TakeIf(bool take)
    {
        if (take)
        {
            Take();
        }

        return take;
    }
}
