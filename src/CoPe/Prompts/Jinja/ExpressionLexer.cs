using System.Globalization;
using System.Text;

namespace CoPe.Prompts.Jinja;

/// <summary>Cuts the inside of a tag into names, literals and operators.</summary>
internal static class ExpressionLexer
{
    static readonly string[] Operators =
        ["//", "**", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "~", "<", ">", "=", "(", ")", "[", "]", "{", "}", ".", ",", ":", "|", ";"];

    /// <summary>Appends the tokens of a tag and returns where its closing characters (or the sign before them) stand, and the line there.</summary>
    public static (int End, int Line) Run(string source, int at, int line, string close, List<Token> tokens)
    {
        var open = new Stack<char>(); // a tag closes only outside of brackets
        var firstLine = line;
        while (at < source.Length)
        {
            var c = source[at];
            if (PythonText.IsSpace(c))
            {
                if (c == '\n') line++;
                at++;
            }
            else if (open.Count == 0 && Closes(source, at, close)) return (at, line);
            else if (c is '"' or '\'') at = ReadString(source, at, ref line, tokens);
            else if (char.IsAsciiDigit(c)) at = ReadNumber(source, at, line, tokens);
            else if (char.IsLetter(c) || c == '_') at = ReadName(source, at, line, tokens);
            else at = ReadOperator(source, at, line, open, tokens);
        }
        throw new ChatTemplateException($"a tag is not closed by '{close}'", firstLine);
    }

    static bool Closes(string source, int at, string close) =>
        string.CompareOrdinal(source, source[at] is '-' or '+' ? at + 1 : at, close, 0, 2) == 0;

    static int ReadName(string source, int at, int line, List<Token> tokens)
    {
        var end = at;
        while (end < source.Length && (char.IsLetterOrDigit(source[end]) || source[end] == '_')) end++;
        tokens.Add(new Token(TokenKind.Name, source[at..end], line));
        return end;
    }

    static int ReadNumber(string source, int at, int line, List<Token> tokens)
    {
        int Digits(int from)
        {
            while (from < source.Length && (char.IsAsciiDigit(source[from]) || source[from] == '_')) from++;
            return from;
        }
        var end = Digits(at);
        var isFloat = end + 1 < source.Length && source[end] == '.' && char.IsAsciiDigit(source[end + 1]);
        if (isFloat) end = Digits(end + 1);
        var exponent = end + 1 < source.Length && source[end] is 'e' or 'E' ? end + (source[end + 1] is '+' or '-' ? 2 : 1) : source.Length;
        if (exponent < source.Length && char.IsAsciiDigit(source[exponent])) (isFloat, end) = (true, Digits(exponent));
        tokens.Add(new Token(isFloat ? TokenKind.Float : TokenKind.Integer, source[at..end].Replace("_", "", StringComparison.Ordinal), line));
        return end;
    }

    static int ReadOperator(string source, int at, int line, Stack<char> open, List<Token> tokens)
    {
        var symbol = Operators.FirstOrDefault(symbol => string.CompareOrdinal(source, at, symbol, 0, symbol.Length) == 0)
            ?? throw new ChatTemplateException($"unexpected character '{source[at]}'", line);
        if (symbol is "(" or "[" or "{") open.Push(symbol[0]);
        if (symbol is ")" or "]" or "}" && (!open.TryPop(out var opened) || opened != "([{"[")]}".IndexOf(symbol[0], StringComparison.Ordinal)]))
            throw new ChatTemplateException($"unexpected '{symbol}'", line);
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
            if (c == '\n') line++;
            if (c == '\\' && i + 1 < source.Length) i = ReadEscape(source, i + 1, line, text);
            else text.Append(c);
        }
        throw new ChatTemplateException("a string is not closed", startLine);
    }

    // Python's escapes; an unknown one stands for itself, backslash included. Returns the index of its last character.
    static int ReadEscape(string source, int at, int line, StringBuilder text)
    {
        const string Names = "\\'\"abfnrtv0", Values = "\\'\"\a\b\f\n\r\t\v\0";
        var c = source[at];
        var digits = c switch { 'x' => 2, 'u' => 4, 'U' => 8, _ => 0 };
        if (digits > 0)
        {
            if (at + digits >= source.Length || !int.TryParse(source.AsSpan(at + 1, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code) || code is < 0 or > 0x10FFFF)
                throw new ChatTemplateException($"the escape '\\{c}' needs {digits} hexadecimal digits", line);
            text.Append(code < 0x10000 ? ((char)code).ToString() : char.ConvertFromUtf32(code));
            return at + digits;
        }
        if (c == '\n') return at;
        var index = Names.IndexOf(c, StringComparison.Ordinal);
        if (index >= 0) text.Append(Values[index]);
        else text.Append('\\').Append(c);
        return at;
    }
}
