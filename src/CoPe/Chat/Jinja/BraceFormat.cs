using System.Text;

namespace CoPe.Chat.Jinja;

/// <summary>Python's <c>text.format(...)</c>.</summary>
sealed class BraceFormat
{
    const int MaxDepth = 2;

    readonly Arguments _arguments;
    int _next;

    BraceFormat(Arguments arguments) => _arguments = arguments;

    public static string Format(string format, Arguments arguments)
    {
        arguments.State.SpendOn(format);
        return new BraceFormat(arguments).Format(format, depth: 0);
    }

    string Format(string format, int depth)
    {
        if (depth == MaxDepth)
        {
            throw new JinjaException("Max string recursion exceeded");
        }

        var text = new StringBuilder();
        for (var i = 0; i < format.Length; i++)
        {
            var c = format[i];
            var isDoubled = i + 1 < format.Length && format[i + 1] == c;
            if (c is '{' or '}' && isDoubled)
            {
                RenderState.Append(text, c.ToString());
                i++;
            }
            else if (c == '{')
            {
                var end = FindEnd(format, i);
                RenderState.Append(text, FormatField(format[(i + 1)..end], depth));
                i = end;
            }
            else if (c == '}')
            {
                throw new JinjaException("Single '}' encountered in format string");
            }
            else
            {
                RenderState.Append(text, c.ToString());
            }
        }

        return text.ToString();
    }

    static int FindEnd(string format, int open)
    {
        var depth = 0;
        for (var i = open; i < format.Length; i++)
        {
            depth += format[i] switch
            {
                '{' => 1,
                '}' => -1,
                _ => 0,
            };
            if (depth == 0)
            {
                return i;
            }
        }

        throw new JinjaException("expected '}' before end of string");
    }

    /// <summary><c>name.attribute[key]!r:spec</c>.</summary>
    string FormatField(string field, int depth)
    {
        var (path, specText) = SplitAt(field, ':');
        (path, var conversion) = SplitAt(path, '!');
        var value = FindValue(path);
        var isNested = specText.Contains('{', StringComparison.Ordinal);
        specText = isNested ? Format(specText, depth + 1) : specText;
        var spec = FormatSpec.Parse(specText);
        return conversion switch
        {
            "" => specText.Length == 0 ? PythonText.Str(_arguments.State, value) : FormatValue(value, spec),
            "s" => spec.FormatText(PythonText.Str(_arguments.State, value)),
            "r" or "a" => spec.FormatText(PythonText.Repr(_arguments.State, value)),
            _ => throw new JinjaException($"Unknown conversion specifier {conversion}"),
        };
    }

    static (string Before, string After) SplitAt(string text, char separator)
    {
        var index = text.IndexOf(separator, StringComparison.Ordinal);
        return index < 0 ? (text, "") : (text[..index], text[(index + 1)..]);
    }

    static string FormatValue(object? value, FormatSpec spec)
    {
        if (Operators.TryNumber(value, out _, out var whole) && spec.Type != 's')
        {
            return spec.FormatNumber(whole ?? value!); // true and false are 1 and 0 as soon as there is a specifier
        }

        if (value is string text && spec.Type is null or 's')
        {
            return spec.FormatText(text);
        }

        var type = PythonText.TypeName(value);
        throw new JinjaException(
            value is string or bool or long or double
                ? $"Unknown format code '{spec.Type}' for object of type '{type}'"
                : $"unsupported format string passed to {type}.__format__"
        );
    }

    object? FindValue(string path)
    {
        var end = path.IndexOfAny(['.', '[']);
        var name = end < 0 ? path : path[..end];
        var value = FindArgument(name);
        while (end >= 0 && end < path.Length)
        {
            var isItem = path[end] == '[';
            var stop = isItem ? path.IndexOf(']', end) : path.IndexOfAny(['.', '['], end + 1);
            if (isItem && stop < 0)
            {
                throw new JinjaException("Missing ']' in format string");
            }

            stop = stop < 0 ? path.Length : stop;
            var part = path[(end + 1)..stop];
            value = isItem
                ? MemberAccess.GetItem(_arguments.State, value, ToKey(part))
                : MemberAccess.GetAttribute(value, part);
            end = isItem ? stop + 1 : stop;
        }

        return value is Undefined undefined ? throw undefined.ToException() : value;
    }

    object? FindArgument(string name)
    {
        if (name.Length > 0 && !name.All(char.IsAsciiDigit))
        {
            return _arguments.Named.TryGetValue(name, out var named)
                ? named
                : throw new JinjaException($"the format names '{name}', which is not given");
        }

        var index = name.Length == 0 ? _next++ : FormatSpec.ParseNumber(name);
        return index < _arguments.Positional.Count
            ? _arguments.Positional[index]
            : throw new JinjaException($"Replacement index {index} out of range for positional args tuple");
    }

    static object ToKey(string part) =>
        part.Length > 0 && part.All(char.IsAsciiDigit) ? (long)FormatSpec.ParseNumber(part) : part;
}
