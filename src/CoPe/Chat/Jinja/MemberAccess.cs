using System.Globalization;

namespace CoPe.Chat.Jinja;

/// <summary>Attributes, items and slices of values.</summary>
static class MemberAccess
{
    /// <summary><c>value.name</c>: a method or attribute, else the entry of that name.</summary>
    public static object? GetAttribute(object? value, string name)
    {
        object? found = value switch
        {
            Undefined undefined => throw undefined.ToException(),
            string text => StringMethods.Find(text, name),
            JinjaDict dict => FindDictMethod(dict, name),
            _ => null,
        };
        if (found is not null)
        {
            return found;
        }

        if (value is JinjaNamespace box && box.Attributes.TryGetValue(name, out found))
        {
            return found;
        }

        if (value is JinjaDict entries && entries.TryGet(name, out found))
        {
            return found;
        }

        return new Undefined($"'{Describe(value)}' has no attribute '{name}'");
    }

    /// <summary><c>value[key]</c>: an entry or element, else the attribute of that name.</summary>
    public static object? GetItem(object? value, object? key)
    {
        if (value is Undefined undefined)
        {
            throw undefined.ToException();
        }

        if (value is JinjaDict dict && dict.TryGet(key, out var entry))
        {
            return entry;
        }

        if (IsSequence(value) && ToInteger(key) is { } index)
        {
            var items = Operators.Iterate(value);
            var place = index < 0 ? index + items.Count : index;
            return place >= 0 && place < items.Count ? items[(int)place] : NoElement(value, key);
        }

        return key is string name ? GetAttribute(value, name) : NoElement(value, key);
    }

    /// <summary><c>value[start:stop:step]</c>; a bound that is null was not given.</summary>
    public static object? GetSlice(object? value, object? start, object? stop, object? step)
    {
        if (value is Undefined undefined)
        {
            throw undefined.ToException();
        }

        if (!IsSequence(value))
        {
            throw new JinjaException($"'{PythonText.TypeName(value)}' object cannot be sliced");
        }

        var sliced = TakeSlice(
            Operators.Iterate(value),
            ToSliceIndex(start),
            ToSliceIndex(stop),
            ToSliceIndex(step) ?? 1
        );
        return value switch
        {
            string => string.Concat(sliced.Cast<string>()),
            object?[] => sliced.ToArray(),
            _ => sliced,
        };
    }

    static List<object?> TakeSlice(IReadOnlyList<object?> items, long? start, long? stop, long step)
    {
        if (step == 0)
        {
            throw new JinjaException("slice step cannot be zero");
        }

        // Backwards, a slice may end before the first item and begin at the last.
        var isForward = step > 0;
        var first = isForward ? 0 : -1;
        var last = isForward ? items.Count : items.Count - 1;
        var from = start is null ? (isForward ? first : last) : Clamp(start.Value);
        var to = stop is null ? (isForward ? last : first) : Clamp(stop.Value);

        var taken = new List<object?>();
        for (var i = from; isForward ? i < to : i > to; i += step)
        {
            taken.Add(items[(int)i]);
        }

        return taken;

        long Clamp(long index) => Math.Clamp(index < 0 ? index + items.Count : index, first, last);
    }

    static long? ToSliceIndex(object? bound)
    {
        if (bound is null)
        {
            return null;
        }

        var index = ToInteger(bound) ?? throw new JinjaException("slice indices must be integers or None");
        return Math.Clamp(index, -int.MaxValue, int.MaxValue);
    }

    static long? ToInteger(object? value)
    {
        _ = Operators.TryNumber(value, out _, out var whole);
        return whole;
    }

    static bool IsSequence(object? value) => value is string or List<object?> or object?[];

    static Undefined NoElement(object? value, object? key) =>
        new($"{Describe(value)} has no element {PythonText.Repr(key)}");

    static Callable? FindDictMethod(JinjaDict dict, string name) =>
        name switch
        {
            "items" => new Callable(name, _ => dict.Items),
            "keys" => new Callable(name, _ => dict.Keys.ToList()),
            "values" => new Callable(name, _ => dict.Values.ToList()),
            "get" => new Callable(
                name,
                arguments =>
                    dict.TryGet(arguments.Require(0, "key"), out var value) ? value : arguments.Get(1, "default")
            ),
            "copy" => new Callable(name, _ => dict),
            _ => null,
        };

    static string Describe(object? value) => value is null ? "None" : PythonText.TypeName(value) + " object";
}

/// <summary>Methods of Python's text.</summary>
static class StringMethods
{
    /// <summary>The bound method of a name, or null where text has none of that name.</summary>
    public static Callable? Find(string text, string name)
    {
        Func<Arguments, object?>? method = name switch
        {
            "strip" => arguments => PythonText.Strip(text, Characters(arguments)),
            "lstrip" => arguments => PythonText.StripStart(text, Characters(arguments)),
            "rstrip" => arguments => PythonText.StripEnd(text, Characters(arguments)),
            "upper" => _ => text.ToUpperInvariant(),
            "lower" => _ => text.ToLowerInvariant(),
            "title" => _ => Title(text),
            "capitalize" => _ => Capitalize(text),
            "startswith" => arguments =>
                Affixes(arguments).Any(affix => text.StartsWith(affix, StringComparison.Ordinal)),
            "endswith" => arguments => Affixes(arguments).Any(affix => text.EndsWith(affix, StringComparison.Ordinal)),
            "removeprefix" => arguments => RemovePrefix(text, arguments.RequireString(0, "prefix")),
            "removesuffix" => arguments => RemoveSuffix(text, arguments.RequireString(0, "suffix")),
            "replace" => arguments =>
                Replace(
                    text,
                    arguments.RequireString(0, "old"),
                    arguments.RequireString(1, "new"),
                    ToCount(arguments.Get(2, "count"))
                ),
            "find" => arguments => (long)text.IndexOf(arguments.RequireString(0, "sub"), StringComparison.Ordinal),
            "count" => arguments => CountOccurrences(text, arguments.RequireString(0, "sub")),
            "split" => arguments => Split(text, arguments.Get(0, "sep"), ToCount(arguments.Get(1, "maxsplit"))),
            "rsplit" => arguments =>
                SplitFromEnd(text, arguments.RequireString(0, "sep"), ToCount(arguments.Get(1, "maxsplit"))),
            "splitlines" => _ => SplitLines(text),
            "join" => arguments =>
                string.Join(text, Operators.Iterate(arguments.Require(0, "iterable")).Select(PythonText.Str)),
            "isdigit" => _ => text.Length > 0 && text.All(char.IsDigit),
            "isalpha" => _ => text.Length > 0 && text.All(char.IsLetter),
            "isupper" => _ => IsUpper(text),
            "islower" => _ => IsLower(text),
            _ => null,
        };
        return method is null ? null : new Callable(name, method);
    }

    public static string Replace(string text, string old, string with, int count)
    {
        if (old.Length == 0)
        {
            throw new JinjaException("replacing empty text is not supported");
        }

        var parts = count < 0 ? text.Split(old) : text.Split(old, count + 1);
        if (text.Length + ((long)parts.Length * with.Length) > RenderState.MaxTextLength)
        {
            throw RenderState.LimitExceeded();
        }

        return string.Join(with, parts);
    }

    public static bool IsUpper(string text) => text.Any(char.IsUpper) && !text.Any(char.IsLower);

    public static bool IsLower(string text) => text.Any(char.IsLower) && !text.Any(char.IsUpper);

    public static string Capitalize(string text) =>
        text.Length == 0 ? text : char.ToUpperInvariant(text[0]) + text[1..].ToLowerInvariant();

    public static string Title(string text)
    {
        var characters = text.ToLowerInvariant().ToCharArray();
        for (var i = 0; i < characters.Length; i++)
        {
            if (i == 0 || !char.IsLetter(characters[i - 1]))
            {
                characters[i] = char.ToUpper(characters[i], CultureInfo.InvariantCulture);
            }
        }

        return new string(characters);
    }

    /// <summary>A count from a template: -1, no limit, where none is given.</summary>
    public static int ToCount(object? value) =>
        value is long number ? (int)Math.Clamp(number, -1, int.MaxValue - 1) : -1;

    static string RemovePrefix(string text, string prefix) =>
        text.StartsWith(prefix, StringComparison.Ordinal) ? text[prefix.Length..] : text;

    static string RemoveSuffix(string text, string suffix) =>
        text.EndsWith(suffix, StringComparison.Ordinal) ? text[..^suffix.Length] : text;

    static object? CountOccurrences(string text, string part) =>
        part.Length > 0 ? text.Split(part).Length - 1L : text.Length + 1L;

    static List<object?> Split(string text, object? separator, int maxSplits)
    {
        if (separator is null)
        {
            return SplitAtSpaces(text, maxSplits);
        }

        if (separator is not string { Length: > 0 } mark)
        {
            throw new JinjaException("empty separator");
        }

        return [.. maxSplits < 0 ? text.Split(mark) : text.Split(mark, maxSplits + 1)];
    }

    static List<object?> SplitAtSpaces(string text, int maxSplits)
    {
        var parts = new List<object?>();
        var rest = PythonText.StripStart(text);
        while (rest.Length > 0 && parts.Count != maxSplits)
        {
            var end = 0;
            while (end < rest.Length && !PythonText.IsSpace(rest[end]))
            {
                end++;
            }

            parts.Add(rest[..end]);
            rest = PythonText.StripStart(rest[end..]);
        }

        if (rest.Length > 0)
        {
            parts.Add(PythonText.StripEnd(rest));
        }

        return parts;
    }

    static List<object?> SplitFromEnd(string text, string separator, int maxSplits)
    {
        if (separator.Length == 0)
        {
            throw new JinjaException("empty separator");
        }

        var parts = text.Split(separator);
        if (maxSplits < 0 || parts.Length <= maxSplits + 1)
        {
            return [.. parts];
        }

        var unsplit = parts.Length - maxSplits;
        return [string.Join(separator, parts[..unsplit]), .. parts[unsplit..]];
    }

    static List<object?> SplitLines(string text)
    {
        var lines = text.Replace("\r\n", "\n", StringComparison.Ordinal).Split('\n', '\r');
        return [.. lines[^1].Length == 0 ? lines[..^1] : lines];
    }

    static string? Characters(Arguments arguments) =>
        arguments.Get(0, "chars") is null ? null : arguments.RequireString(0, "chars");

    static IEnumerable<string> Affixes(Arguments arguments) =>
        arguments.Require(0, "prefix") is object?[] several
            ? several.OfType<string>()
            : [arguments.RequireString(0, "prefix")];
}
