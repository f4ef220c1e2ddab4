namespace CoPe.Prompts.Jinja;

internal enum TokenKind { Text, BlockBegin, BlockEnd, PrintBegin, PrintEnd, Name, String, Integer, Float, Operator, End }

/// <summary>A piece of a template's source.</summary>
internal readonly record struct Token(TokenKind Kind, string Value, int Line)
{
    public bool IsName(string name) => Kind == TokenKind.Name && Value == name;

    public bool IsOperator(string symbol) => Kind == TokenKind.Operator && Value == symbol;

    public override string ToString() => Kind switch
    {
        TokenKind.End => "the end of the template",
        TokenKind.BlockEnd => "%}",
        TokenKind.PrintEnd => "}}",
        _ => $"'{Value}'",
    };
}
