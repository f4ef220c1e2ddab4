namespace CoPe.Chat.Jinja;

/// <summary>
/// Splits a template into text and tags, with transformers' settings: trim_blocks (the line end after a block tag is
/// dropped), lstrip_blocks (so is the indentation before one), one line end at the end of the source dropped.
/// </summary>
sealed class TemplateLexer
{
    const string RawTag = "raw";
    const string EndRawTag = "endraw";

    /// <summary>Stands for a tag without a '-' or '+' beside its braces.</summary>
    const char NoSign = ' ';

    readonly string _source;
    readonly List<Token> _tokens = [];
    int _position;
    int _line = 1;

    /// <summary>
    /// The text that follows begins a line: at the start, or where the last tag took its line end away.
    /// </summary>
    bool _isLineStart = true;

    TemplateLexer(string source) => _source = source;

    public static List<Token> Tokenize(string source)
    {
        var normalized = source.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        if (normalized.EndsWith('\n'))
        {
            normalized = normalized[..^1];
        }

        var lexer = new TemplateLexer(normalized);
        while (lexer.ReadTextAndTag()) { }

        lexer._tokens.Add(new Token(TokenKind.End, "", lexer._line));
        return lexer._tokens;
    }

    /// <summary>Reads the text up to the next tag, and the tag; false where no tag follows.</summary>
    bool ReadTextAndTag()
    {
        var open = FindNextTag();
        if (open < 0)
        {
            AddText(_source[_position..]);
            return false;
        }

        var kind = _source[open + 1];
        var sign = GetSign(open);
        AddText(TrimBeforeTag(_source[_position..open], kind, sign));
        MoveTo(AfterOpening(open, sign));

        if (kind == '#')
        {
            SkipComment();
        }
        else if (kind == '%' && FindTagEnd(_position, RawTag) is { } rawTagEnd)
        {
            ReadRaw(rawTagEnd);
        }
        else
        {
            ReadExpressionTag(kind);
        }

        return true;
    }

    int FindNextTag()
    {
        for (var i = _position; i + 1 < _source.Length; i++)
        {
            if (_source[i] == '{' && _source[i + 1] is '%' or '{' or '#')
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>The '-' or '+' behind the two opening characters, if there is one.</summary>
    char GetSign(int open)
    {
        var index = open + 2;
        return index < _source.Length && _source[index] is '-' or '+' ? _source[index] : NoSign;
    }

    static int AfterOpening(int open, char sign) => open + (sign == NoSign ? 2 : 3);

    string TrimBeforeTag(string text, char kind, char sign)
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
        var beginsLine = lineStart > 0 || _isLineStart;
        var isIndentation = text.AsSpan(lineStart).TrimStart().Length == 0;
        return beginsLine && isIndentation ? text[..lineStart] : text;
    }

    void ReadExpressionTag(char kind)
    {
        var isBlock = kind == '%';
        _tokens.Add(new Token(isBlock ? TokenKind.BlockBegin : TokenKind.PrintBegin, "", _line));

        var expression = new ExpressionLexer(_source, _position, _line, _tokens);
        expression.ReadUntil(isBlock ? "%}" : "}}");
        _position = expression.Position;
        _line = expression.Line;

        _tokens.Add(new Token(isBlock ? TokenKind.BlockEnd : TokenKind.PrintEnd, "", _line));
        SkipClosing(trimLineEnd: isBlock);
    }

    /// <summary>Skips the optional sign, the two closing characters, and the white space that they take away.</summary>
    void SkipClosing(bool trimLineEnd)
    {
        var sign = _source[_position];
        MoveTo(_position + (sign is '-' or '+' ? 3 : 2));
        var start = _position;

        if (sign == '-')
        {
            while (_position < _source.Length && PythonText.IsSpace(_source[_position]))
            {
                MoveTo(_position + 1);
            }
        }
        else if (sign != '+' && trimLineEnd && _position < _source.Length && _source[_position] == '\n')
        {
            MoveTo(_position + 1);
        }

        _isLineStart = _position > start && _source[_position - 1] == '\n';
    }

    void SkipComment()
    {
        var end = _source.IndexOf("#}", _position, StringComparison.Ordinal);
        if (end < 0)
        {
            throw new JinjaSyntaxException("a comment is not closed by '#}'", _line);
        }

        var hasSign = end > _position && _source[end - 1] is '-' or '+';
        MoveTo(hasSign ? end - 1 : end);
        SkipClosing(trimLineEnd: true);
    }

    /// <summary>
    /// Where the closing characters of the tag of this name stand, or null where another tag stands here.
    /// </summary>
    int? FindTagEnd(int start, string name)
    {
        var tag = _source.AsSpan(start).TrimStart();
        if (!tag.StartsWith(name))
        {
            return null;
        }

        var closing = tag[name.Length..].TrimStart();
        var isClosed = closing.StartsWith("%}") || closing.StartsWith("-%}");
        return isClosed ? _source.Length - closing.Length : null;
    }

    void ReadRaw(int rawTagEnd)
    {
        MoveTo(rawTagEnd);
        SkipClosing(trimLineEnd: true);

        var open = _source.IndexOf("{%", _position, StringComparison.Ordinal);
        while (open >= 0)
        {
            var sign = GetSign(open);
            if (FindTagEnd(AfterOpening(open, sign), EndRawTag) is { } endRawTagEnd)
            {
                AddText(TrimBeforeTag(_source[_position..open], '%', sign));
                MoveTo(endRawTagEnd);
                SkipClosing(trimLineEnd: true);
                return;
            }

            open = _source.IndexOf("{%", open + 2, StringComparison.Ordinal);
        }

        throw new JinjaSyntaxException("a raw block is not closed by 'endraw'", _line);
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
        _line += _source.AsSpan(_position, index - _position).Count('\n');
        _position = index;
    }
}
