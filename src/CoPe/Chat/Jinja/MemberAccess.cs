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

        if (
            value is string or List<object?> or object?[]
            && Operators.TryNumber(key, out _, out var whole)
            && whole is { } index
        )
        {
            var items = Operators.Iterate(value);
            if (index < 0)
            {
                index += items.Count;
            }

            return index >= 0 && index < items.Count
                ? items[(int)index]
                : new Undefined($"{Describe(value)} has no element {PythonText.Repr(key)}");
        }
        return key is string name
            ? GetAttribute(value, name)
            : new Undefined($"{Describe(value)} has no element {PythonText.Repr(key)}");
    }

    public static object? GetSlice(object? value, object? start, object? stop, object? step)
    {
        if (value is Undefined undefined)
        {
            throw undefined.ToException();
        }

        if (value is not (string or List<object?> or object?[]))
        {
            throw new JinjaException($"'{PythonText.TypeName(value)}' object cannot be sliced");
        }

        var items = Operators.Iterate(value);
        var by = ToSliceIndex(step) ?? 1;
        if (by == 0)
        {
            throw new JinjaException("slice step cannot be zero");
        }

        long count = items.Count,
            low = by > 0 ? 0 : -1,
            high = by > 0 ? count : count - 1;
        long Clamp(long? bound, long absent) =>
            bound is not { } at ? absent : Math.Clamp(at < 0 ? at + count : at, low, high);
        long from = Clamp(ToSliceIndex(start), by > 0 ? 0 : count - 1),
            to = Clamp(ToSliceIndex(stop), by > 0 ? count : -1);
        var taken = new List<object?>();
        for (var i = from; by > 0 ? i < to : i > to; i += by)
        {
            taken.Add(items[(int)i]);
        }

        return value switch
        {
            string => string.Concat(taken.Cast<string>()),
            object?[] => taken.ToArray(),
            _ => taken,
        };
    }

    static long? ToSliceIndex(object? bound) =>
        bound is null ? null
        : Operators.TryNumber(bound, out _, out var whole) && whole is { } index
            ? Math.Clamp(index, -int.MaxValue, int.MaxValue)
        : throw new JinjaException("slice indices must be integers or None");

    static Callable? FindDictMethod(JinjaDict dict, string name) =>
        name switch
        {
            "items" => new Callable(
                name,
                _ => dict.Entries.Select(object? (entry) => new object?[] { entry.Key, entry.Value }).ToList()
            ),
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
            "removeprefix" => arguments =>
                arguments.RequireString(0, "prefix") is var prefix && text.StartsWith(prefix, StringComparison.Ordinal)
                    ? text[prefix.Length..]
                    : text,
            "removesuffix" => arguments =>
                arguments.RequireString(0, "suffix") is var suffix && text.EndsWith(suffix, StringComparison.Ordinal)
                    ? text[..^suffix.Length]
                    : text,
            "replace" => arguments =>
                Replace(
                    text,
                    arguments.RequireString(0, "old"),
                    arguments.RequireString(1, "new"),
                    Count(arguments.Get(2, "count"))
                ),
            "find" => arguments => (long)text.IndexOf(arguments.RequireString(0, "sub"), StringComparison.Ordinal),
            "count" => arguments =>
                arguments.RequireString(0, "sub") is { Length: > 0 } part
                    ? text.Split(part).Length - 1L
                    : text.Length + 1L,
            "split" => arguments => Split(text, arguments.Get(0, "sep"), Count(arguments.Get(1, "maxsplit"))),
            "rsplit" => arguments =>
                SplitFromEnd(text, arguments.RequireString(0, "sep"), Count(arguments.Get(1, "maxsplit"))),
            "splitlines" => _ => SplitLines(text),
            "join" => arguments =>
                string.Join(text, Operators.Iterate(arguments.Require(0, "iterable")).Select(PythonText.Str)),
            "isdigit" => _ => text.Length > 0 && text.All(char.IsDigit),
            "isalpha" => _ => text.Length > 0 && text.All(char.IsLetter),
            "isupper" => _ => text.Any(char.IsUpper) && !text.Any(char.IsLower),
            "islower" => _ => text.Any(char.IsLower) && !text.Any(char.IsUpper),
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

    static List<object?> Split(string text, object? separator, int atMost)
    {
        if (separator is string { Length: > 0 } mark)
        {
            return [.. atMost < 0 ? text.Split(mark) : text.Split(mark, atMost + 1)];
        }

        if (separator is not null)
        {
            throw new JinjaException("empty separator");
        }

        var parts = new List<object?>();
        for (text = PythonText.StripStart(text); text.Length > 0; text = PythonText.StripStart(text))
        {
            var end = 0;
            while (end < text.Length && !PythonText.IsSpace(text[end]))
            {
                end++;
            }

            if (parts.Count == atMost)
            {
                parts.Add(PythonText.StripEnd(text));
                break;
            }
            parts.Add(text[..end]);
            text = text[end..];
        }
        return parts;
    }

    static List<object?> SplitFromEnd(string text, string mark, int atMost)
    {
        var parts = text.Split(mark.Length > 0 ? mark : throw new JinjaException("empty separator"));
        if (atMost < 0 || parts.Length <= atMost + 1)
        {
            return [.. parts];
        }

        var rest = parts.Length - atMost;
        return [string.Join(mark, parts[..rest]), .. parts[rest..]];
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

    static int Count(object? count) => count is long number ? (int)Math.Clamp(number, -1, int.MaxValue - 1) : -1;
}
