using System.Globalization;

namespace CoPe.Prompts.Jinja;

/// <summary>Methods of Python's text.</summary>
internal static class StringMethods
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
            "startswith" => arguments => Affixes(arguments).Any(affix => text.StartsWith(affix, StringComparison.Ordinal)),
            "endswith" => arguments => Affixes(arguments).Any(affix => text.EndsWith(affix, StringComparison.Ordinal)),
            "removeprefix" => arguments => arguments.NeedText(0, "prefix") is var prefix && text.StartsWith(prefix, StringComparison.Ordinal) ? text[prefix.Length..] : text,
            "removesuffix" => arguments => arguments.NeedText(0, "suffix") is var suffix && text.EndsWith(suffix, StringComparison.Ordinal) ? text[..^suffix.Length] : text,
            "replace" => arguments => Replace(text, arguments.NeedText(0, "old"), arguments.NeedText(1, "new"), Count(arguments.Get(2, "count"))),
            "find" => arguments => (long)text.IndexOf(arguments.NeedText(0, "sub"), StringComparison.Ordinal),
            "count" => arguments => arguments.NeedText(0, "sub") is { Length: > 0 } part ? text.Split(part).Length - 1L : text.Length + 1L,
            "split" => arguments => Split(text, arguments.Get(0, "sep"), Count(arguments.Get(1, "maxsplit"))),
            "rsplit" => arguments => SplitFromEnd(text, arguments.NeedText(0, "sep"), Count(arguments.Get(1, "maxsplit"))),
            "splitlines" => _ => SplitLines(text),
            "join" => arguments => string.Join(text, Operators.Items(arguments.Need(0, "iterable")).Select(PythonText.Of)),
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
        if (old.Length == 0) throw new JinjaError("replacing empty text is not supported");
        var parts = count < 0 ? text.Split(old) : text.Split(old, count + 1);
        if (text.Length + ((long)parts.Length * with.Length) > RenderRun.MaxTextLength) throw RenderRun.TooLong();
        return string.Join(with, parts);
    }

    public static string Capitalize(string text) =>
        text.Length == 0 ? text : char.ToUpperInvariant(text[0]) + text[1..].ToLowerInvariant();

    public static string Title(string text)
    {
        var characters = text.ToLowerInvariant().ToCharArray();
        for (var i = 0; i < characters.Length; i++)
            if (i == 0 || !char.IsLetter(characters[i - 1])) characters[i] = char.ToUpper(characters[i], CultureInfo.InvariantCulture);
        return new string(characters);
    }

    static List<object?> Split(string text, object? separator, int atMost)
    {
        if (separator is string { Length: > 0 } mark) return [.. atMost < 0 ? text.Split(mark) : text.Split(mark, atMost + 1)];
        if (separator is not null) throw new JinjaError("empty separator");
        var parts = new List<object?>();
        for (text = PythonText.StripStart(text); text.Length > 0; text = PythonText.StripStart(text))
        {
            var end = 0;
            while (end < text.Length && !PythonText.IsSpace(text[end])) end++;
            if (parts.Count == atMost) { parts.Add(PythonText.StripEnd(text)); break; }
            parts.Add(text[..end]);
            text = text[end..];
        }
        return parts;
    }

    static List<object?> SplitFromEnd(string text, string mark, int atMost)
    {
        var parts = text.Split(mark.Length > 0 ? mark : throw new JinjaError("empty separator"));
        if (atMost < 0 || parts.Length <= atMost + 1) return [.. parts];
        var rest = parts.Length - atMost;
        return [string.Join(mark, parts[..rest]), .. parts[rest..]];
    }

    static List<object?> SplitLines(string text)
    {
        var lines = text.Replace("\r\n", "\n", StringComparison.Ordinal).Split('\n', '\r');
        return [.. lines[^1].Length == 0 ? lines[..^1] : lines];
    }

    static string? Characters(Arguments arguments) => arguments.Get(0, "chars") is null ? null : arguments.NeedText(0, "chars");

    static IEnumerable<string> Affixes(Arguments arguments) =>
        arguments.Need(0, "prefix") is object?[] several ? several.OfType<string>() : [arguments.NeedText(0, "prefix")];

    static int Count(object? count) => count is long number ? (int)Math.Clamp(number, -1, int.MaxValue - 1) : -1;
}
