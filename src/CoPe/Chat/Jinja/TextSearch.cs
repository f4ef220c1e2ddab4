namespace CoPe.Chat.Jinja;

/// <summary>Searches in a text, with places counted in code points as Python counts them.</summary>
sealed class TextSearch(string text)
{
    public static int CountCodePoints(string text) => text.Length - text.Count(char.IsLowSurrogate);

    /// <summary>Where a part begins; null where it is not in the text.</summary>
    public object? Find(Arguments arguments, bool fromEnd)
    {
        var part = arguments.RequireString(0, "sub");
        if (GetRange(arguments) is not { } range)
        {
            return null;
        }

        var (start, end) = range;
        var searched = text.AsSpan(start, end - start);
        var index = fromEnd ? searched.LastIndexOf(part) : searched.IndexOf(part);
        return index < 0 ? null : (long)CountCodePoints(text[..(start + index)]);
    }

    /// <summary>How often a part stands in the text.</summary>
    public object Count(Arguments arguments)
    {
        var part = arguments.RequireString(0, "sub");
        if (GetRange(arguments) is not { } range)
        {
            return 0L;
        }

        var searched = text[range.Start..range.End];
        return part.Length == 0 ? CountCodePoints(searched) + 1L : searched.AsSpan().Count(part);
    }

    /// <summary>Whether the text begins or ends with a part, or with one of a tuple.</summary>
    public object HasAffix(Arguments arguments, bool atEnd)
    {
        var name = atEnd ? "suffix" : "prefix";
        var affixes = arguments.Require(0, name) is object?[] several
            ? several.Select(one =>
                one as string
                ?? throw new JinjaException(
                    $"a tuple of {name}es must only contain str, not {PythonText.TypeName(one)}"
                )
            )
            : [arguments.RequireString(0, name)];
        if (GetRange(arguments) is not { } range)
        {
            return false;
        }

        var searched = text[range.Start..range.End];
        return affixes.Any(affix =>
            atEnd
                ? searched.EndsWith(affix, StringComparison.Ordinal)
                : searched.StartsWith(affix, StringComparison.Ordinal)
        );
    }

    /// <summary>
    /// The arguments <c>start</c> and <c>end</c> as places in the text; null where nothing lies between.
    /// </summary>
    (int Start, int End)? GetRange(Arguments arguments)
    {
        var length = CountCodePoints(text);
        var start = ToBound(arguments.GetInteger(1, "start") ?? 0, length);
        var end = Math.Min(length, ToBound(arguments.GetInteger(2, "end") ?? length, length));
        return start <= end ? (ToIndex(start), ToIndex(end)) : null;
    }

    static int ToBound(int bound, int length) => bound < 0 ? Math.Max(0, bound + length) : bound;

    int ToIndex(int codePoints)
    {
        var index = 0;
        for (; codePoints > 0 && index < text.Length; codePoints--)
        {
            index += char.IsSurrogatePair(text, index) ? 2 : 1;
        }

        return index;
    }
}
