namespace CoPe.Prompts.Jinja;

/// <summary>Tokens with a place to read from.</summary>
internal sealed class TokenStream(List<Token> tokens)
{
    int _at;

    public Token Current => tokens[_at];

    public Token Following => tokens[Math.Min(_at + 1, tokens.Count - 1)];

    public Token Take() => tokens[_at < tokens.Count - 1 ? _at++ : _at];

    public bool TakeName(string name) => TakeIf(Current.IsName(name));

    public bool TakeOperator(string symbol) => TakeIf(Current.IsOperator(symbol));

    public string ExpectName() => Current.Kind == TokenKind.Name ? Take().Value : throw Unexpected("a name");

    public void ExpectName(string name)
    {
        if (!TakeName(name)) throw Unexpected($"'{name}'");
    }

    public void ExpectOperator(string symbol)
    {
        if (!TakeOperator(symbol)) throw Unexpected($"'{symbol}'");
    }

    public void Expect(TokenKind kind)
    {
        if (!TakeIf(Current.Kind == kind)) throw Unexpected(kind == TokenKind.BlockEnd ? "'%}'" : "'}}'");
    }

    public ChatTemplateException Unexpected(string expected) => new($"found {Current} where {expected} was expected", Current.Line);

    bool TakeIf(bool take)
    {
        if (take) Take();
        return take;
    }
}
