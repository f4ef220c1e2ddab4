using System.Globalization;
using System.Text;

namespace CoPe.Chat.Jinja;

/// <summary>Splits the inside of a tag into names, literals and operators.</summary>
/// <param name="source">The template.</param>
/// <param name="position">Where the inside of the tag begins.</param>
/// <param name="line">The line there.</param>
/// <param name="tokens">Receives the tokens.</param>
sealed class ExpressionLexer(string source, int position, int line, List<Token> tokens)
{
    /// <summary>The longer ones first: <c>//</c> is not two <c>/</c>.</summary>
    static readonly string[] Operators =
    [
        .. "// ** == != <= >=".Split(' '),
        .. "+ - * / % ~ < > = ( ) [ ] { } . , : | ;".Split(' '),
    ];

    readonly Stack<char> _openBrackets = new();

    /// <summary>
    /// Where reading stands: at the end, on the closing characters of the tag or on the sign before them.
    /// </summary>
    public int Position { get; private set; } = position;

    /// <summary>The line there.</summary>
    public int Line { get; private set; } = line;

    /// <summary>Reads up to the closing characters, which end the tag only outside of brackets.</summary>
    public void ReadUntil(string close)
    {
        var firstLine = Line;
        while (Position < source.Length)
        {
            if (_openBrackets.Count == 0 && IsClosedBy(close))
            {
                return;
            }

            ReadToken(source[Position]);
        }

        throw new JinjaSyntaxException($"a tag is not closed by '{close}'", firstLine);
    }

    void ReadToken(char first)
    {
        if (PythonText.IsSpace(first))
        {
            if (first == '\n')
            {
                Line++;
            }

            Position++;
        }
        else if (first is '"' or '\'')
        {
            ReadString(first);
        }
        else if (char.IsAsciiDigit(first))
        {
            ReadNumber();
        }
        else if (char.IsLetter(first) || first == '_')
        {
            ReadName();
        }
        else
        {
            ReadOperator();
        }
    }

    bool IsClosedBy(string close)
    {
        var start = source[Position] is '-' or '+' ? Position + 1 : Position;
        return string.CompareOrdinal(source, start, close, 0, close.Length) == 0;
    }

    void ReadName()
    {
        var end = Position;
        while (end < source.Length && (char.IsLetterOrDigit(source[end]) || source[end] == '_'))
        {
            end++;
        }

        Add(TokenKind.Name, source[Position..end]);
        Position = end;
    }

    void ReadNumber()
    {
        var isPrefixed = source.AsSpan(Position) is ['0', 'x' or 'X' or 'b' or 'B', ..];
        if (isPrefixed)
        {
            ReadPrefixedNumber();
            return;
        }

        var end = SkipDigits(Position);
        var isFloat = end + 1 < source.Length && source[end] == '.' && char.IsAsciiDigit(source[end + 1]);
        if (isFloat)
        {
            end = SkipDigits(end + 1);
        }

        if (end + 1 < source.Length && source[end] is 'e' or 'E')
        {
            var exponent = end + (source[end + 1] is '+' or '-' ? 2 : 1);
            if (exponent < source.Length && char.IsAsciiDigit(source[exponent]))
            {
                isFloat = true;
                end = SkipDigits(exponent);
            }
        }

        var digits = source[Position..end].Replace("_", "", StringComparison.Ordinal);
        Add(isFloat ? TokenKind.Float : TokenKind.Integer, digits);
        Position = end;
    }

    /// <summary>A number in another base: <c>0x1F</c>, <c>0b11</c>.</summary>
    void ReadPrefixedNumber()
    {
        var end = Position + 2;
        while (end < source.Length && (char.IsAsciiHexDigit(source[end]) || source[end] == '_'))
        {
            end++;
        }

        Add(TokenKind.Integer, source[Position..end].Replace("_", "", StringComparison.Ordinal));
        Position = end;
    }

    int SkipDigits(int index)
    {
        while (index < source.Length && (char.IsAsciiDigit(source[index]) || source[index] == '_'))
        {
            index++;
        }

        return index;
    }

    void ReadOperator()
    {
        var symbol = Operators.FirstOrDefault(StartsHere);
        if (symbol is null)
        {
            throw new JinjaSyntaxException($"unexpected character '{source[Position]}'", Line);
        }

        if (symbol is "(" or "[" or "{")
        {
            _openBrackets.Push(symbol[0]);
        }
        else if (symbol is ")" or "]" or "}")
        {
            CloseBracket(symbol);
        }

        Add(TokenKind.Operator, symbol);
        Position += symbol.Length;
    }

    bool StartsHere(string symbol) => string.CompareOrdinal(source, Position, symbol, 0, symbol.Length) == 0;

    void CloseBracket(string symbol)
    {
        var expected = symbol switch
        {
            ")" => '(',
            "]" => '[',
            _ => '{',
        };
        if (!_openBrackets.TryPop(out var opened) || opened != expected)
        {
            throw new JinjaSyntaxException($"unexpected '{symbol}'", Line);
        }
    }

    void ReadString(char quote)
    {
        var firstLine = Line;
        var text = new StringBuilder();
        for (Position++; Position < source.Length; Position++)
        {
            var c = source[Position];
            if (c == quote)
            {
                tokens.Add(new Token(TokenKind.String, text.ToString(), firstLine));
                Position++;
                return;
            }

            if (c == '\\' && Position + 1 < source.Length)
            {
                Position++;
                ReadEscape(text);
                continue;
            }

            if (c == '\n')
            {
                Line++;
            }

            text.Append(c);
        }

        throw new JinjaSyntaxException("a string is not closed", firstLine);
    }

    /// <summary>
    /// Reads one of Python's escapes and stays on its last character; an unknown one stands for itself, backslash
    /// included.
    /// </summary>
    void ReadEscape(StringBuilder text)
    {
        const string Names = "\\'\"abfnrtv0";
        const string Values = "\\'\"\a\b\f\n\r\t\v\0";

        var name = source[Position];
        var digitCount = name switch
        {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => 0,
        };
        if (digitCount > 0)
        {
            ReadCodePoint(name, digitCount, text);
            return;
        }

        // A backslash at the end of a line joins it to the next one.
        if (name == '\n')
        {
            return;
        }

        var index = Names.IndexOf(name, StringComparison.Ordinal);
        if (index >= 0)
        {
            text.Append(Values[index]);
        }
        else
        {
            text.Append('\\').Append(name);
        }
    }

    void ReadCodePoint(char name, int digitCount, StringBuilder text)
    {
        if (Position + digitCount >= source.Length || !TryParseHex(Position + 1, digitCount, out var codePoint))
        {
            throw new JinjaSyntaxException($"the escape '\\{name}' needs {digitCount} hexadecimal digits", Line);
        }

        text.Append(codePoint < 0x10000 ? ((char)codePoint).ToString() : char.ConvertFromUtf32(codePoint));
        Position += digitCount;
    }

    bool TryParseHex(int start, int count, out int codePoint) =>
        int.TryParse(
            source.AsSpan(start, count),
            NumberStyles.AllowHexSpecifier,
            CultureInfo.InvariantCulture,
            out codePoint
        ) && codePoint is >= 0 and <= 0x10FFFF;

    void Add(TokenKind kind, string value) => tokens.Add(new Token(kind, value, Line));
}
