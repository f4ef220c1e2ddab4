using System.Globalization;
using System.Text;

namespace CoPe.Chat.Jinja;

/// <summary>How one value is laid out: the part behind the colon in <c>{:>8.2f}</c>.</summary>
sealed record FormatSpec
{
    const int MaxWidth = 1 << 20;
    const int MaxPrecision = 1000;

    public string Fill { get; init; } = " ";

    /// <summary><c>&lt;</c>, <c>&gt;</c>, <c>^</c> or <c>=</c>; null as the value's type has it.</summary>
    public char? Align { get; init; }

    /// <summary><c>+</c>, a blank, or null for minus signs alone.</summary>
    public char? Sign { get; init; }

    public bool IsAlternate { get; init; }

    public bool FillsWithZeros { get; init; }

    public int Width { get; init; }

    /// <summary>What stands between thousands: a comma or an underscore; null for nothing.</summary>
    public char? Grouping { get; init; }

    public int? Precision { get; init; }

    /// <summary>The letter of the conversion; null as the value's type has it.</summary>
    public char? Type { get; init; }

    /// <summary>Reads <c>[[fill]align][sign][#][0][width][,][.precision][type]</c>.</summary>
    public static FormatSpec Parse(string text)
    {
        var spec = new FormatSpec();
        var position = 0;
        bool Take(string characters, out char taken)
        {
            taken = position < text.Length ? text[position] : '\0';
            var isTaken = taken != '\0' && characters.Contains(taken, StringComparison.Ordinal);
            position += isTaken ? 1 : 0;
            return isTaken;
        }

        var fill = text.Length > 0 ? text.EnumerateRunes().First().ToString() : "";
        var isFillNamed = text.Length > fill.Length && "<>=^".Contains(text[fill.Length], StringComparison.Ordinal);
        if (isFillNamed)
        {
            spec = spec with { Fill = fill, Align = text[fill.Length] };
            position = fill.Length + 1;
        }
        else if (Take("<>=^", out var align))
        {
            spec = spec with { Align = align };
        }

        if (Take("+- ", out var sign))
        {
            spec = spec with { Sign = sign == '-' ? null : sign };
        }

        spec = spec with { IsAlternate = Take("#", out _) };
        spec = spec with { FillsWithZeros = Take("0", out _) };
        spec = spec with { Width = ReadDigits() ?? 0 };
        if (Take(",_", out var grouping))
        {
            spec = spec with { Grouping = grouping };
        }

        if (Take(".", out _))
        {
            spec = spec with
            {
                Precision = ReadDigits() ?? throw new JinjaException("Format specifier missing precision"),
            };
        }

        if (Take("bcdeEfFgGnosxX%", out var type))
        {
            spec = spec with { Type = type };
        }

        // Zeros before the width fill, unless a fill was named.
        spec = spec with
        {
            Fill = spec.FillsWithZeros && !isFillNamed ? "0" : spec.Fill,
        };
        return position == text.Length ? spec : throw new JinjaException($"Invalid format specifier '{text}'");

        int? ReadDigits()
        {
            var start = position;
            while (position < text.Length && char.IsAsciiDigit(text[position]))
            {
                position++;
            }

            return start == position ? null : ParseNumber(text[start..position]);
        }
    }

    /// <summary>A width or precision, where it is within reason.</summary>
    public static int ParseNumber(string digits) =>
        int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= MaxWidth
            ? number
            : throw new JinjaException($"the width or precision {digits} is too large");

    public string FormatText(string text)
    {
        if (Sign is not null || IsAlternate || Grouping is not null || Align == '=')
        {
            throw new JinjaException("a sign, '#', ',', '_' and '=' are not allowed in a text's format specifier");
        }

        if (Precision is { } most && TextSearch.CountCodePoints(text) > most)
        {
            text = string.Concat(text.EnumerateRunes().Take(most).Select(rune => rune.ToString()));
        }

        return Pad("", text, Align ?? '<');
    }

    /// <summary>Lays out a whole number or a float.</summary>
    public string FormatNumber(object number)
    {
        var isNegative = number is long whole ? whole < 0 : double.IsNegative((double)number);
        var isWhole = number is long && Type is null or 'c' or 'd' or 'n' or 'x' or 'X' or 'o' or 'b';
        if (number is double && Type is 'c' or 'd' or 'x' or 'X' or 'o' or 'b')
        {
            throw new JinjaException($"Unknown format code '{Type}' for object of type 'float'");
        }

        if (isWhole && Precision is not null)
        {
            throw new JinjaException("Precision not allowed in integer format specifier");
        }

        if (Type == 'c')
        {
            return Pad("", ToCharacter((long)number), GetAlign());
        }

        var digits = isWhole
            ? FormatInteger((long)number)
            : MarkPoint(FormatFloat(Convert.ToDouble(number, CultureInfo.InvariantCulture)));
        var sign = isNegative ? "-" : Sign?.ToString() ?? "";
        var prefix = IsAlternate && Type is 'x' or 'X' or 'o' or 'b' ? "0" + Type : "";
        return Pad(sign + prefix, Group(digits, Width - sign.Length - prefix.Length), GetAlign());

        char GetAlign() => Align ?? (FillsWithZeros ? '=' : '>');
    }

    string ToCharacter(long code) =>
        Sign is null && !IsAlternate && Grouping is null && code is >= 0 and <= 0x10FFFF && Rune.IsValid((int)code)
            ? new Rune((int)code).ToString()
            : throw new JinjaException("'c' takes the number of a character, without sign or separator");

    /// <summary><c>#</c> keeps the point of a number that has no places.</summary>
    string MarkPoint(string digits)
    {
        var end = digits.AsSpan().IndexOfAnyExceptInRange('0', '9');
        end = end < 0 ? digits.Length : end;
        var lacksPoint = IsAlternate && end > 0 && (end == digits.Length || digits[end] != '.');
        return lacksPoint ? digits.Insert(end, ".") : digits;
    }

    string FormatInteger(long number)
    {
        var magnitude = number < 0 ? 0UL - (ulong)number : (ulong)number;
        return Type switch
        {
            'x' => magnitude.ToString("x", CultureInfo.InvariantCulture),
            'X' => magnitude.ToString("X", CultureInfo.InvariantCulture),
            'b' => magnitude.ToString("b", CultureInfo.InvariantCulture),
            'o' => ToOctal(magnitude),
            _ => magnitude.ToString(CultureInfo.InvariantCulture),
        };
    }

    static string ToOctal(ulong number)
    {
        var digits = "";
        do
        {
            digits = (number & 7) + digits;
            number >>= 3;
        } while (number > 0);

        return digits;
    }

    string FormatFloat(double number)
    {
        var magnitude = Math.Abs(number);
        if (!double.IsFinite(magnitude))
        {
            var name = double.IsNaN(magnitude) ? "nan" : "inf";
            return Type is 'E' or 'F' or 'G' ? name.ToUpperInvariant() : name;
        }

        var precision = Math.Min(Precision ?? 6, MaxPrecision);
        return Type switch
        {
            'f' or 'F' => FormatFixed(magnitude, precision),
            'e' or 'E' => FormatExponent(magnitude, precision, Type.Value),
            '%' => FormatFixed(magnitude * 100, precision) + "%",
            'g' or 'G' or 'n' => FormatGeneral(magnitude, Math.Max(1, precision), Type == 'G' ? 'E' : 'e'),
            null when Precision is null => PythonText.FormatFloat(magnitude),
            _ => FormatShortest(magnitude, Math.Max(1, precision)),
        };
    }

    static string FormatFixed(double magnitude, int places)
    {
        var rounded = places < 300 ? Arithmetic.Round(magnitude, places) : magnitude;
        return rounded.ToString("F" + places, CultureInfo.InvariantCulture);
    }

    static string FormatExponent(double magnitude, int places, char letter)
    {
        var text = magnitude.ToString(
            letter + places.ToString(CultureInfo.InvariantCulture),
            CultureInfo.InvariantCulture
        );
        var exponent = text.IndexOf(letter, StringComparison.Ordinal);
        var digits = text[(exponent + 2)..].TrimStart('0').PadLeft(2, '0');
        return text[..(exponent + 2)] + digits;
    }

    /// <summary>Without a letter a float stays one: as with g, and at least one place behind the point.</summary>
    string FormatShortest(double magnitude, int digits)
    {
        var general = FormatGeneral(magnitude, digits, 'e');
        return !general.All(char.IsAsciiDigit) ? general
            : general.Length < digits ? general + ".0"
            : TrimExponent(FormatExponent(magnitude, digits - 1, 'e'));

        string TrimExponent(string text) =>
            TrimZeros(text[..text.IndexOf('e', StringComparison.Ordinal)])
            + text[text.IndexOf('e', StringComparison.Ordinal)..];
    }

    string FormatGeneral(double magnitude, int digits, char letter)
    {
        var scientific = FormatExponent(magnitude, digits - 1, letter);
        var split = scientific.IndexOf(letter, StringComparison.Ordinal);
        var exponent = int.Parse(
            scientific.AsSpan(split + 1),
            NumberStyles.AllowLeadingSign,
            CultureInfo.InvariantCulture
        );
        if (exponent < -4 || exponent >= digits)
        {
            return TrimZeros(scientific[..split]) + scientific[split..];
        }

        return TrimZeros(FormatFixed(magnitude, digits - 1 - exponent));
    }

    string TrimZeros(string digits) =>
        digits.Contains('.', StringComparison.Ordinal) && !IsAlternate ? digits.TrimEnd('0').TrimEnd('.') : digits;

    /// <summary>
    /// The digits before the point in groups, with as many zeros in front as the width asks for where zeros fill it.
    /// </summary>
    string Group(string digits, int width)
    {
        if (Grouping is not { } separator)
        {
            return digits;
        }

        var isDecimal = Type is not ('x' or 'X' or 'o' or 'b');
        if ((separator == ',' && !isDecimal) || Type == 'n')
        {
            throw new JinjaException($"Cannot specify '{separator}' with '{Type}'.");
        }

        var end = isDecimal ? digits.AsSpan().IndexOfAnyExceptInRange('0', '9') : digits.Length;
        end = end < 0 ? digits.Length : end;
        if (end == 0)
        {
            return digits; // inf and nan
        }

        var size = isDecimal ? 3 : 4;
        var rest = digits[end..];
        var missing = FillsWithZeros && Align is null or '=' && Fill == "0" ? width - rest.Length : 0;
        var count = end;
        while (count + ((count - 1) / size) < missing)
        {
            count++;
        }

        var grouped = new StringBuilder(digits[..end].PadLeft(count, '0'));
        for (var i = count - size; i > 0; i -= size)
        {
            grouped.Insert(i, separator);
        }

        return grouped.Append(rest).ToString();
    }

    string Pad(string sign, string text, char align)
    {
        var missing = Width - TextSearch.CountCodePoints(sign + text);
        if (missing <= 0)
        {
            return sign + text;
        }

        string Repeat(int times) => string.Concat(Enumerable.Repeat(Fill, times));
        return align switch
        {
            '<' => sign + text + Repeat(missing),
            '^' => Repeat(missing / 2) + sign + text + Repeat(missing - (missing / 2)),
            '=' => sign + Repeat(missing) + text,
            _ => Repeat(missing) + sign + text,
        };
    }
}
