using System.Text;

namespace CoPe.Chat.Jinja;

/// <summary>Python's <c>text % values</c>.</summary>
sealed class PercentFormat
{
    readonly RenderState _state;
    readonly string _format;
    readonly object? _values;
    readonly StringBuilder _text = new();
    int _position;
    int _used;

    PercentFormat(RenderState state, string format, object? values) =>
        (_state, _format, _values) = (state, format, values);

    /// <summary>Fills in a tuple's items in order, a dictionary's by name, or any other value alone.</summary>
    public static string Format(RenderState state, string format, object? values)
    {
        state.SpendOn(format);
        return new PercentFormat(state, format, values).Format();
    }

    string Format()
    {
        while (_position < _format.Length)
        {
            var c = _format[_position++];
            if (c == '%')
            {
                FormatField();
            }
            else
            {
                Append(c.ToString());
            }
        }

        if (
            _values is object?[] tuple
                ? _used < tuple.Length
                : _used == 0 && _values is not (JinjaDict or List<object?>)
        )
        {
            throw new JinjaException("not all arguments converted during string formatting");
        }

        return _text.ToString();
    }

    void FormatField()
    {
        var key = ReadKey();
        var spec = new FormatSpec { Align = '>' };
        spec = ReadFlags(spec);
        spec = spec with { Width = ReadNumber() ?? spec.Width };
        if (Peek() == '.')
        {
            _position++;
            spec = spec with { Precision = ReadNumber() ?? 0 };
        }

        while (Peek() is 'h' or 'l' or 'L')
        {
            _position++;
        }

        var type = Peek() ?? throw new JinjaException("incomplete format");
        _position++;
        Append(type == '%' ? "%" : Convert(type, key is null ? TakeNext() : GetByName(key), spec));
    }

    string? ReadKey()
    {
        if (Peek() != '(')
        {
            return null;
        }

        var end = _format.IndexOf(')', _position);
        if (end < 0)
        {
            throw new JinjaException("incomplete format key");
        }

        var key = _format[(_position + 1)..end];
        _position = end + 1;
        return key;
    }

    FormatSpec ReadFlags(FormatSpec spec)
    {
        while (Peek() is { } flag && "-+ #0".Contains(flag, StringComparison.Ordinal))
        {
            _position++;
            spec = flag switch
            {
                '-' => spec with { Align = '<' },
                '+' => spec with { Sign = '+' },
                ' ' => spec.Sign == '+' ? spec : spec with { Sign = ' ' },
                '#' => spec with { IsAlternate = true },
                _ => spec with { FillsWithZeros = true },
            };
        }

        return spec;
    }

    int? ReadNumber()
    {
        if (Peek() == '*')
        {
            _position++;
            return TakeNext() is long number
                ? (int)Math.Clamp(number, 0, int.MaxValue)
                : throw new JinjaException("* wants int");
        }

        var start = _position;
        while (Peek() is { } digit && char.IsAsciiDigit(digit))
        {
            _position++;
        }

        return start == _position ? null : FormatSpec.ParseNumber(_format[start.._position]);
    }

    char? Peek() => _position < _format.Length ? _format[_position] : null;

    object? TakeNext()
    {
        if (_values is object?[] tuple)
        {
            return _used < tuple.Length ? tuple[_used++] : throw TooFew();
        }

        return _used++ == 0 ? _values : throw TooFew();
    }

    object? GetByName(string key)
    {
        _used++;
        var dict = _values as JinjaDict ?? throw new JinjaException("format requires a mapping");
        return dict.TryGet(key, out var value)
            ? value
            : throw new JinjaException($"the format names '{key}', which is not given");
    }

    string Convert(char type, object? value, FormatSpec spec)
    {
        switch (type)
        {
            case 's':
                return FormatText(PythonText.Str(_state, value), spec);
            case 'r' or 'a':
                return FormatText(PythonText.Repr(_state, value), spec);
            case 'c':
                return FormatText(ToCharacter(value), spec with { Precision = null });
            case 'd' or 'i' or 'u':
                return FormatInteger(RequireInteger(type, value), spec with { Type = 'd' });
            case 'x' or 'X' or 'o':
                return FormatInteger(RequireInteger(type, value), spec with { Type = type });
            case 'e' or 'E' or 'f' or 'F' or 'g' or 'G':
                return FillWithZeros(spec with { Type = type }).FormatNumber(RequireFloat(value));
            default:
                throw new JinjaException($"unsupported format character '{type}'");
        }
    }

    /// <summary>Flags of numbers say nothing of a text.</summary>
    static string FormatText(string text, FormatSpec spec) =>
        (spec with { Sign = null, IsAlternate = false, FillsWithZeros = false }).FormatText(text);

    /// <summary>A precision is the fewest digits.</summary>
    static string FormatInteger(object number, FormatSpec spec)
    {
        if (spec.Precision is not { } least)
        {
            return FillWithZeros(spec).FormatNumber(number);
        }

        var marks = (number is < 0L || spec.Sign is not null ? 1 : 0) + (spec.IsAlternate && spec.Type != 'd' ? 2 : 0);
        var width = Math.Max(least + marks, spec.FillsWithZeros && spec.Align != '<' ? spec.Width : 0);
        var filled = FillWithZeros(spec with { Precision = null, Width = width, Align = '>', FillsWithZeros = true });
        return new FormatSpec { Width = spec.Width, Align = spec.Align }.FormatText(filled.FormatNumber(number));
    }

    static FormatSpec FillWithZeros(FormatSpec spec) =>
        spec.FillsWithZeros && spec.Align != '<' ? spec with { Fill = "0", Align = '=' } : spec;

    static string ToCharacter(object? value) =>
        value is string text && TextSearch.CountCodePoints(text) == 1 ? text
        : value is long code && Rune.IsValid((int)Math.Clamp(code, int.MinValue, int.MaxValue))
            ? new Rune((int)code).ToString()
        : throw new JinjaException("%c requires int or char");

    static object RequireInteger(char type, object? value)
    {
        if (!Operators.TryNumber(value, out var number, out var whole))
        {
            throw new JinjaException($"%{type} format: a real number is required, not {PythonText.TypeName(value)}");
        }

        return whole is null && type is 'x' or 'X' or 'o'
            ? throw new JinjaException($"%{type} format: an integer is required, not float")
            : whole ?? Arithmetic.Truncate(number);
    }

    static double RequireFloat(object? value) =>
        Operators.TryNumber(value, out var number, out _)
            ? number
            : throw new JinjaException($"must be real number, not {PythonText.TypeName(value)}");

    static JinjaException TooFew() => new("not enough arguments for format string");

    void Append(string text) => RenderState.Append(_text, text);
}
