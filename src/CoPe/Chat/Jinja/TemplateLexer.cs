using System.Globalization;
using System.Text;

namespace CoPe.Chat.Jinja;

/// <summary>
/// Cuts a template into text and tags, with transformers' settings: trim_blocks (the line end after a block tag goes),
/// lstrip_blocks (so does the indentation before one), one line end at the end of the source dropped.
/// </summary>
sealed class TemplateLexer
{
    readonly string _source;
    readonly List<Token> _tokens = [];
    int _at,
        _line = 1;
    bool _lineStarts = true; // the last tag swallowed its line end

    TemplateLexer(string source) => _source = source;

    public static List<Token> Tokenize(string source)
    {
        source = source.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        if (source.EndsWith('\n'))
        {
            source = source[..^1];
        }

        var lexer = new TemplateLexer(source);
        while (lexer.ReadTag()) { }
        lexer._tokens.Add(new Token(TokenKind.End, "", lexer._line));
        return lexer._tokens;
    }

    // Reads the text up to the next tag, and the tag. False at the end.
    bool ReadTag()
    {
        var open = NextOpen();
        if (open < 0)
        {
            AddText(_source[_at..]);
            return false;
        }
        var kind = _source[open + 1];
        var sign = open + 2 < _source.Length && _source[open + 2] is '-' or '+' ? _source[open + 2] : ' ';
        AddText(BeforeTag(_source[_at..open], kind, sign));
        MoveTo(open + (sign == ' ' ? 2 : 3));
        if (kind == '#')
        {
            SkipComment();
        }
        else if (kind == '%' && IsRaw(out var afterRaw))
        {
            ReadRaw(afterRaw);
        }
        else
        {
            ReadExpressionTag(kind);
        }

        return true;
    }

    int NextOpen()
    {
        for (var i = _at; i + 1 < _source.Length; i++)
        {
            if (_source[i] == '{' && _source[i + 1] is '%' or '{' or '#')
            {
                return i;
            }
        }

        return -1;
    }

    string BeforeTag(string text, char kind, char sign)
    {
        if (sign == '-')
        {
            return PythonText.StripEnd(text);
        }

        if (sign == '+' || kind == '{')
        {
            return text;
        }

        var lineStart = text.LastIndexOf('\n') + 1;
        return (lineStart > 0 || _lineStarts) && text.AsSpan(lineStart).TrimStart().Length == 0
            ? text[..lineStart]
            : text;
    }

    void ReadExpressionTag(char kind)
    {
        var block = kind == '%';
        _tokens.Add(new Token(block ? TokenKind.BlockBegin : TokenKind.PrintBegin, "", _line));
        var (end, line) = ExpressionLexer.Tokenize(_source, _at, _line, block ? "%}" : "}}", _tokens);
        _line = line;
        _at = end;
        _tokens.Add(new Token(block ? TokenKind.BlockEnd : TokenKind.PrintEnd, "", _line));
        CloseTag(trimLineEnd: block);
    }

    // Stands on the optional sign and the two closing characters; swallows what goes with them.
    void CloseTag(bool trimLineEnd)
    {
        var sign = _source[_at];
        MoveTo(_at + (sign is '-' or '+' ? 3 : 2));
        var start = _at;
        if (sign == '-')
        {
            while (_at < _source.Length && PythonText.IsSpace(_source[_at]))
            {
                MoveTo(_at + 1);
            }
        }
        else if (sign != '+' && trimLineEnd && _at < _source.Length && _source[_at] == '\n')
        {
            MoveTo(_at + 1);
        }

        _lineStarts = _at > start && _source[_at - 1] == '\n';
    }

    void SkipComment()
    {
        var end = _source.IndexOf("#}", _at, StringComparison.Ordinal);
        if (end < 0)
        {
            throw new ChatTemplateException("a comment is not closed by '#}'", _line);
        }

        MoveTo(end > _at && _source[end - 1] is '-' or '+' ? end - 1 : end);
        CloseTag(trimLineEnd: true);
    }

    bool IsRaw(out int after)
    {
        var name = _source.AsSpan(_at).TrimStart();
        after = _source.Length - name.Length + 3;
        if (!name.StartsWith("raw"))
        {
            return false;
        }

        var rest = name[3..].TrimStart();
        after = _source.Length - rest.Length;
        return rest.StartsWith("%}") || rest.StartsWith("-%}");
    }

    void ReadRaw(int after)
    {
        MoveTo(after);
        CloseTag(trimLineEnd: true);
        for (var open = _at; (open = _source.IndexOf("{%", open, StringComparison.Ordinal)) >= 0; open += 2)
        {
            var sign = open + 2 < _source.Length && _source[open + 2] is '-' or '+' ? _source[open + 2] : ' ';
            var name = _source.AsSpan(open + (sign == ' ' ? 2 : 3)).TrimStart();
            if (!name.StartsWith("endraw"))
            {
                continue;
            }

            var rest = name[6..].TrimStart();
            if (!rest.StartsWith("%}") && !rest.StartsWith("-%}"))
            {
                continue;
            }

            AddText(BeforeTag(_source[_at..open], '%', sign));
            MoveTo(_source.Length - rest.Length);
            CloseTag(trimLineEnd: true);
            return;
        }
        throw new ChatTemplateException("a raw block is not closed by 'endraw'", _line);
    }

    void AddText(string text)
    {
        if (text.Length > 0)
        {
            _tokens.Add(new Token(TokenKind.Text, text, _line));
        }
    }

    void MoveTo(int index)
    {
        _line += _source.AsSpan(_at, index - _at).Count('\n');
        _at = index;
    }
}

/// <summary>Cuts the inside of a tag into names, literals and operators.</summary>
static class ExpressionLexer
{
    static readonly string[] Operators =
    [
        "//",
        "**",
        "==",
        "!=",
        "<=",
        ">=",
        "+",
        "-",
        "*",
        "/",
        "%",
        "~",
        "<",
        ">",
        "=",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ".",
        ",",
        ":",
        "|",
        ";",
    ];

    /// <summary>
    /// Appends the tokens of a tag and returns where its closing characters (or the sign before them) stand, and the
    /// line there.
    /// </summary>
    public static (int End, int Line) Tokenize(string source, int at, int line, string close, List<Token> tokens)
    {
        var open = new Stack<char>(); // a tag closes only outside of brackets
        var firstLine = line;
        while (at < source.Length)
        {
            var c = source[at];
            if (PythonText.IsSpace(c))
            {
                if (c == '\n')
                {
                    line++;
                }

                at++;
            }
            else if (open.Count == 0 && Closes(source, at, close))
            {
                return (at, line);
            }
            else if (c is '"' or '\'')
            {
                at = ReadString(source, at, ref line, tokens);
            }
            else if (char.IsAsciiDigit(c))
            {
                at = ReadNumber(source, at, line, tokens);
            }
            else if (char.IsLetter(c) || c == '_')
            {
                at = ReadName(source, at, line, tokens);
            }
            else
            {
                at = ReadOperator(source, at, line, open, tokens);
            }
        }
        throw new ChatTemplateException($"a tag is not closed by '{close}'", firstLine);
    }

    static bool Closes(string source, int at, string close) =>
        string.CompareOrdinal(source, source[at] is '-' or '+' ? at + 1 : at, close, 0, 2) == 0;

    static int ReadName(string source, int at, int line, List<Token> tokens)
    {
        var end = at;
        while (end < source.Length && (char.IsLetterOrDigit(source[end]) || source[end] == '_'))
        {
            end++;
        }

        tokens.Add(new Token(TokenKind.Name, source[at..end], line));
        return end;
    }

    static int ReadNumber(string source, int at, int line, List<Token> tokens)
    {
        int Digits(int from)
        {
            while (from < source.Length && (char.IsAsciiDigit(source[from]) || source[from] == '_'))
            {
                from++;
            }

            return from;
        }
        var end = Digits(at);
        var isFloat = end + 1 < source.Length && source[end] == '.' && char.IsAsciiDigit(source[end + 1]);
        if (isFloat)
        {
            end = Digits(end + 1);
        }

        var exponent =
            end + 1 < source.Length && source[end] is 'e' or 'E'
                ? end + (source[end + 1] is '+' or '-' ? 2 : 1)
                : source.Length;
        if (exponent < source.Length && char.IsAsciiDigit(source[exponent]))
        {
            (isFloat, end) = (true, Digits(exponent));
        }

        tokens.Add(
            new Token(
                isFloat ? TokenKind.Float : TokenKind.Integer,
                source[at..end].Replace("_", "", StringComparison.Ordinal),
                line
            )
        );
        return end;
    }

    static int ReadOperator(string source, int at, int line, Stack<char> open, List<Token> tokens)
    {
        var symbol =
            Operators.FirstOrDefault(symbol => string.CompareOrdinal(source, at, symbol, 0, symbol.Length) == 0)
            ?? throw new ChatTemplateException($"unexpected character '{source[at]}'", line);
        if (symbol is "(" or "[" or "{")
        {
            open.Push(symbol[0]);
        }

        if (
            symbol is ")" or "]" or "}"
            && (!open.TryPop(out var opened) || opened != "([{"[")]}".IndexOf(symbol[0], StringComparison.Ordinal)])
        )
        {
            throw new ChatTemplateException($"unexpected '{symbol}'", line);
        }

        tokens.Add(new Token(TokenKind.Operator, symbol, line));
        return at + symbol.Length;
    }

    static int ReadString(string source, int at, ref int line, List<Token> tokens)
    {
        var (quote, startLine, text) = (source[at], line, new StringBuilder());
        for (var i = at + 1; i < source.Length; i++)
        {
            var c = source[i];
            if (c == quote)
            {
                tokens.Add(new Token(TokenKind.String, text.ToString(), startLine));
                return i + 1;
            }
            if (c == '\n')
            {
                line++;
            }

            if (c == '\\' && i + 1 < source.Length)
            {
                i = ReadEscape(source, i + 1, line, text);
            }
            else
            {
                text.Append(c);
            }
        }
        throw new ChatTemplateException("a string is not closed", startLine);
    }

    // Python's escapes; an unknown one stands for itself, backslash included. Returns the index of its last character.
    static int ReadEscape(string source, int at, int line, StringBuilder text)
    {
        const string Names = "\\'\"abfnrtv0",
            Values = "\\'\"\a\b\f\n\r\t\v\0";
        var c = source[at];
        var digits = c switch
        {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => 0,
        };
        if (digits > 0)
        {
            if (
                at + digits >= source.Length
                || !int.TryParse(
                    source.AsSpan(at + 1, digits),
                    NumberStyles.AllowHexSpecifier,
                    CultureInfo.InvariantCulture,
                    out var code
                )
                || code is < 0 or > 0x10FFFF
            )
            {
                throw new ChatTemplateException($"the escape '\\{c}' needs {digits} hexadecimal digits", line);
            }

            text.Append(code < 0x10000 ? ((char)code).ToString() : char.ConvertFromUtf32(code));
            return at + digits;
        }
        if (c == '\n')
        {
            return at;
        }

        var index = Names.IndexOf(c, StringComparison.Ordinal);
        if (index >= 0)
        {
            text.Append(Values[index]);
        }
        else
        {
            text.Append('\\').Append(c);
        }

        return at;
    }
}

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

/// <summary>Tokens with a place to read from.</summary>
sealed class TokenStream(List<Token> tokens)
{
    int _at;

    public Token Current => tokens[_at];

    public Token Next => tokens[Math.Min(_at + 1, tokens.Count - 1)];

    public Token Take() => tokens[_at < tokens.Count - 1 ? _at++ : _at];

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

    public ChatTemplateException Unexpected(string expected) =>
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
