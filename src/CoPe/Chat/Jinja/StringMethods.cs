using System.Globalization;
using System.Text;

namespace CoPe.Chat.Jinja;

/// <summary>The methods of a text that change nothing, by Python's names.</summary>
static class StringMethods
{
    /// <summary>A method of a text, ready to be called; null where there is none of that name.</summary>
    public static Callable? Find(string text, string name)
    {
        Callable Method(Func<Arguments, object?> invoke, params string[] parameters) =>
            new(
                name,
                arguments =>
                {
                    arguments.State.SpendOn(text);
                    return invoke(arguments.Bind(parameters));
                }
            );
        return FindTrimming(text, name, Method)
            ?? FindSearching(text, name, Method)
            ?? FindSplitting(text, name, Method)
            ?? FindCharacterTest(text, name) switch
            {
                { } test => Method(_ => test()),
                null => FindOther(text, name, Method),
            };
    }

    delegate Callable CreateMethod(Func<Arguments, object?> invoke, params string[] parameters);

    static Callable? FindTrimming(string text, string name, CreateMethod method) =>
        name switch
        {
            "strip" => method(arguments => PythonText.Strip(text, GetCharacters(arguments)), "chars"),
            "lstrip" => method(arguments => PythonText.StripStart(text, GetCharacters(arguments)), "chars"),
            "rstrip" => method(arguments => PythonText.StripEnd(text, GetCharacters(arguments)), "chars"),
            "removeprefix" => method(arguments => RemovePrefix(text, arguments.RequireString(0, "prefix")), "prefix"),
            "removesuffix" => method(arguments => RemoveSuffix(text, arguments.RequireString(0, "suffix")), "suffix"),
            _ => null,
        };

    static Callable? FindSearching(string text, string name, CreateMethod method)
    {
        var search = new TextSearch(text);
        string[] range = ["sub", "start", "end"];
        return name switch
        {
            "find" => method(arguments => search.Find(arguments, fromEnd: false) ?? -1L, range),
            "rfind" => method(arguments => search.Find(arguments, fromEnd: true) ?? -1L, range),
            "index" => method(arguments => search.Find(arguments, fromEnd: false) ?? throw NotFound(), range),
            "rindex" => method(arguments => search.Find(arguments, fromEnd: true) ?? throw NotFound(), range),
            "count" => method(search.Count, range),
            "startswith" => method(arguments => search.HasAffix(arguments, atEnd: false), "prefix", "start", "end"),
            "endswith" => method(arguments => search.HasAffix(arguments, atEnd: true), "suffix", "start", "end"),
            _ => null,
        };
    }

    static Callable? FindSplitting(string text, string name, CreateMethod method) =>
        name switch
        {
            "split" => method(arguments => Split(text, arguments), "sep", "maxsplit"),
            "rsplit" => method(arguments => SplitFromEnd(text, arguments), "sep", "maxsplit"),
            "splitlines" => method(
                arguments => PythonText.SplitLines(text, arguments.IsTrue(0, "keepends")).ToList<object?>(),
                "keepends"
            ),
            "partition" => method(arguments => Partition(text, arguments, fromEnd: false), "sep"),
            "rpartition" => method(arguments => Partition(text, arguments, fromEnd: true), "sep"),
            "join" => method(arguments => Join(text, arguments), "iterable"),
            _ => null,
        };

    static Callable? FindOther(string text, string name, CreateMethod method) =>
        name switch
        {
            "upper" => method(_ => PythonCase.ToUpper(text)),
            "lower" => method(_ => PythonCase.ToLower(text)),
            "casefold" => method(_ => PythonCase.Fold(text)),
            "title" => method(_ => PythonCase.TitleWords(text)),
            "capitalize" => method(_ => PythonCase.Capitalize(text)),
            "swapcase" => method(_ => PythonCase.SwapCase(text)),
            "replace" => method(arguments => Replace(text, arguments), "old", "new", "count"),
            "center" => method(arguments => Pad(text, arguments, Center), "width", "fillchar"),
            "ljust" => method(arguments => Pad(text, arguments, static (missing, _) => 0), "width", "fillchar"),
            "rjust" => method(arguments => Pad(text, arguments, static (missing, _) => missing), "width", "fillchar"),
            "zfill" => method(arguments => FillWithZeros(text, arguments.RequireInteger(0, "width")), "width"),
            "format" => new Callable(name, arguments => BraceFormat.Format(text, arguments)),
            _ => null,
        };

    static Func<bool>? FindCharacterTest(string text, string name)
    {
        Func<Rune, bool>? test = name switch
        {
            "isdigit" => IsDigit,
            "isdecimal" => static rune => Rune.GetUnicodeCategory(rune) == UnicodeCategory.DecimalDigitNumber,
            "isnumeric" => IsNumeric,
            "isalpha" => Rune.IsLetter,
            "isalnum" => static rune => Rune.IsLetter(rune) || IsNumeric(rune),
            "isspace" => static rune => rune.IsBmp && PythonText.IsSpace((char)rune.Value),
            _ => null,
        };
        if (test is not null)
        {
            return () => text.Length > 0 && text.EnumerateRunes().All(test);
        }

        return name switch
        {
            "isupper" => () => PythonCase.IsUpper(text),
            "islower" => () => PythonCase.IsLower(text),
            "istitle" => () => PythonCase.IsTitle(text),
            "isascii" => () => text.All(char.IsAscii),
            _ => null,
        };
    }

    /// <summary>Ideographs that are numbers too, which .NET's table does not have.</summary>
    const string NumericIdeographs =
        "零一壱壹幺弌㒃二兩弍弐貮貳贰三仨叁参參叄弎" // 0 to 3
        + "亖四肆㐅㠪五伍六陆陸" // 4 to 6
        + "㭍七柒漆八捌九廾玖" // 7 to 9
        + "什十拾卄廿卅卌佰百陌仟千阡万萬亿億兆" // 10 and more
        + "\uF96B\uF973\uF978\uF9B2\uF9D1\uF9D3\uF9FD\U00020001\U00020064\U000200E2\U00020121\U0002092A"
        + "\U00020983\U0002098C\U0002099C\U00020AEA\U00020AFD"
        + "\U00020B19\U00022390\U00022998\U00023B1B\U0002626D\U0002F890";

    static bool IsNumeric(Rune rune) =>
        Rune.GetNumericValue(rune) >= 0
        || Rune.IsNumber(rune)
        || NumericIdeographs.Contains(rune.ToString(), StringComparison.Ordinal);

    static bool IsDigit(Rune rune)
    {
        var letter = rune.ToString();
        return CharUnicodeInfo.GetDigitValue(letter, 0) >= 0;
    }

    public static string Replace(string text, Arguments arguments) =>
        Replace(
            text,
            arguments.RequireString(0, "old"),
            arguments.RequireString(1, "new"),
            arguments.GetInteger(2, "count") ?? -1
        );

    public static string Replace(string text, string old, string with, int count)
    {
        if (old.Length == 0)
        {
            return InsertBetween(text, with, count);
        }

        var parts = count < 0 ? text.Split(old) : text.Split(old, count == int.MaxValue ? count : count + 1);
        return RenderState.Join(with, parts);
    }

    /// <summary>Replacing nothing puts the other text before each character and at the end.</summary>
    static string InsertBetween(string text, string with, int count)
    {
        var inserted = new StringBuilder();
        var left = count < 0 ? int.MaxValue : count;
        foreach (var rune in text.EnumerateRunes())
        {
            if (left-- > 0)
            {
                RenderState.Append(inserted, with);
            }

            inserted.Append(rune.ToString());
        }

        if (left > 0)
        {
            RenderState.Append(inserted, with);
        }

        return inserted.ToString();
    }

    static string RemovePrefix(string text, string prefix) =>
        text.StartsWith(prefix, StringComparison.Ordinal) ? text[prefix.Length..] : text;

    static string RemoveSuffix(string text, string suffix) =>
        text.EndsWith(suffix, StringComparison.Ordinal) ? text[..^suffix.Length] : text;

    static List<object?> Split(string text, Arguments arguments)
    {
        var limit = arguments.GetInteger(1, "maxsplit") ?? -1;
        if (arguments.Get(0, "sep") is null)
        {
            return SplitAtSpaces(text, limit);
        }

        var separator = RequireSeparator(arguments);
        return [.. limit < 0 ? text.Split(separator) : text.Split(separator, Math.Min(limit, text.Length) + 1)];
    }

    static List<object?> SplitAtSpaces(string text, int limit)
    {
        var parts = new List<object?>();
        var rest = PythonText.StripStart(text).AsMemory();
        while (rest.Length > 0 && parts.Count != limit)
        {
            var end = 0;
            while (end < rest.Length && !PythonText.IsSpace(rest.Span[end]))
            {
                end++;
            }

            parts.Add(rest[..end].ToString());
            while (end < rest.Length && PythonText.IsSpace(rest.Span[end]))
            {
                end++;
            }

            rest = rest[end..];
        }

        if (rest.Length > 0)
        {
            parts.Add(PythonText.StripEnd(rest.ToString()));
        }

        return parts;
    }

    static List<object?> SplitFromEnd(string text, Arguments arguments)
    {
        var limit = arguments.GetInteger(1, "maxsplit") ?? -1;
        if (arguments.Get(0, "sep") is null)
        {
            return SplitAtSpacesFromEnd(text, limit);
        }

        var separator = RequireSeparator(arguments);
        var parts = text.Split(separator);
        if (limit < 0 || parts.Length - 1 <= limit)
        {
            return [.. parts];
        }

        var unsplit = parts.Length - limit;
        return [string.Join(separator, parts[..unsplit]), .. parts[unsplit..]];
    }

    static List<object?> SplitAtSpacesFromEnd(string text, int limit)
    {
        var parts = new List<object?>();
        var end = PythonText.StripEnd(text).Length;
        while (end > 0 && parts.Count != limit)
        {
            var start = end;
            while (start > 0 && !PythonText.IsSpace(text[start - 1]))
            {
                start--;
            }

            parts.Add(text[start..end]);
            end = PythonText.StripEnd(text[..start]).Length;
        }

        if (end > 0)
        {
            parts.Add(PythonText.StripStart(text[..end]));
        }

        parts.Reverse();
        return parts;
    }

    static object?[] Partition(string text, Arguments arguments, bool fromEnd)
    {
        var separator = RequireSeparator(arguments);
        var index = fromEnd
            ? text.LastIndexOf(separator, StringComparison.Ordinal)
            : text.IndexOf(separator, StringComparison.Ordinal);
        if (index < 0)
        {
            return fromEnd ? ["", "", text] : [text, "", ""];
        }

        return [text[..index], separator, text[(index + separator.Length)..]];
    }

    static string Join(string separator, Arguments arguments)
    {
        var items = Operators.Iterate(arguments.State, arguments.Require(0, "iterable"));
        return RenderState.Join(
            separator,
            items.Select(
                (item, i) =>
                    item as string
                    ?? throw new JinjaException(
                        $"sequence item {i}: expected str instance, {PythonText.TypeName(item)} found"
                    )
            )
        );
    }

    static string Pad(string text, Arguments arguments, Func<int, int, int> getLeft)
    {
        var width = arguments.RequireInteger(0, "width");
        var fill = arguments.Get(1, "fillchar", " ") as string;
        if (fill is null || TextSearch.CountCodePoints(fill) != 1)
        {
            throw new JinjaException("The fill character must be exactly one character long");
        }

        var missing = width - TextSearch.CountCodePoints(text);
        if (missing <= 0)
        {
            return text;
        }

        RenderState.EnsureLength((long)text.Length + (missing * (long)fill.Length));
        var left = getLeft(missing, width);
        return RenderState.Join("", [.. Repeat(left), text, .. Repeat(missing - left)]);

        IEnumerable<string> Repeat(int times) => Enumerable.Repeat(fill, times);
    }

    /// <summary>
    /// How many of the missing <c>str.center</c> puts left: where they are odd, by whether the width is.
    /// </summary>
    static int Center(int missing, int width) => (missing / 2) + (missing & width & 1);

    public static string Center(string text, int width)
    {
        var missing = Math.Max(0, width - TextSearch.CountCodePoints(text));
        RenderState.EnsureLength((long)text.Length + missing);
        var left = Center(missing, width);
        return new string(' ', left) + text + new string(' ', missing - left);
    }

    static string FillWithZeros(string text, int width)
    {
        var missing = width - TextSearch.CountCodePoints(text);
        if (missing <= 0)
        {
            return text;
        }

        RenderState.EnsureLength((long)text.Length + missing);
        var signs = text is ['+' or '-', ..] ? 1 : 0;
        return text[..signs] + new string('0', missing) + text[signs..];
    }

    static string RequireSeparator(Arguments arguments) =>
        arguments.RequireString(0, "sep") is { Length: > 0 } separator
            ? separator
            : throw new JinjaException("empty separator");

    static string? GetCharacters(Arguments arguments) =>
        arguments.Get(0, "chars") is null ? null : arguments.RequireString(0, "chars");

    static JinjaException NotFound() => new("substring not found");
}
