namespace CoPe.Prompts.Jinja;

/// <summary>
/// Cuts a template into text and tags, with transformers' settings: trim_blocks (the line end after a block tag goes),
/// lstrip_blocks (so does the indentation before one), one line end at the end of the source dropped.
/// </summary>
internal sealed class TemplateLexer
{
    readonly string _source;
    readonly List<Token> _tokens = [];
    int _at, _line = 1;
    bool _lineStarts = true; // the last tag swallowed its line end

    TemplateLexer(string source) => _source = source;

    public static List<Token> Run(string source)
    {
        source = source.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        if (source.EndsWith('\n')) source = source[..^1];
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
        if (kind == '#') SkipComment();
        else if (kind == '%' && IsRaw(out var afterRaw)) ReadRaw(afterRaw);
        else ReadExpressionTag(kind);
        return true;
    }

    int NextOpen()
    {
        for (var i = _at; i + 1 < _source.Length; i++)
            if (_source[i] == '{' && _source[i + 1] is '%' or '{' or '#') return i;
        return -1;
    }

    string BeforeTag(string text, char kind, char sign)
    {
        if (sign == '-') return PythonText.StripEnd(text);
        if (sign == '+' || kind == '{') return text;
        var lineStart = text.LastIndexOf('\n') + 1;
        return (lineStart > 0 || _lineStarts) && text.AsSpan(lineStart).TrimStart().Length == 0 ? text[..lineStart] : text;
    }

    void ReadExpressionTag(char kind)
    {
        var block = kind == '%';
        _tokens.Add(new Token(block ? TokenKind.BlockBegin : TokenKind.PrintBegin, "", _line));
        var (end, line) = ExpressionLexer.Run(_source, _at, _line, block ? "%}" : "}}", _tokens);
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
        if (sign == '-') while (_at < _source.Length && PythonText.IsSpace(_source[_at])) MoveTo(_at + 1);
        else if (sign != '+' && trimLineEnd && _at < _source.Length && _source[_at] == '\n') MoveTo(_at + 1);
        _lineStarts = _at > start && _source[_at - 1] == '\n';
    }

    void SkipComment()
    {
        var end = _source.IndexOf("#}", _at, StringComparison.Ordinal);
        if (end < 0) throw new ChatTemplateException("a comment is not closed by '#}'", _line);
        MoveTo(end > _at && _source[end - 1] is '-' or '+' ? end - 1 : end);
        CloseTag(trimLineEnd: true);
    }

    bool IsRaw(out int after)
    {
        var name = _source.AsSpan(_at).TrimStart();
        after = _source.Length - name.Length + 3;
        if (!name.StartsWith("raw")) return false;
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
            if (!name.StartsWith("endraw")) continue;
            var rest = name[6..].TrimStart();
            if (!rest.StartsWith("%}") && !rest.StartsWith("-%}")) continue;
            AddText(BeforeTag(_source[_at..open], '%', sign));
            MoveTo(_source.Length - rest.Length);
            CloseTag(trimLineEnd: true);
            return;
        }
        throw new ChatTemplateException("a raw block is not closed by 'endraw'", _line);
    }

    void AddText(string text)
    {
        if (text.Length > 0) _tokens.Add(new Token(TokenKind.Text, text, _line));
    }

    void MoveTo(int index)
    {
        _line += _source.AsSpan(_at, index - _at).Count('\n');
        _at = index;
    }
}
