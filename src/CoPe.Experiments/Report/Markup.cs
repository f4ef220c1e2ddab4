using System.Globalization;
using System.Text;

namespace CoPe.Experiments.Report;

/// <summary>
/// Writes elements that are at once HTML and well-formed XML, and escapes every text and attribute, so that no user's
/// text can become markup. Line ends are always <c>\n</c>: the same input gives the same bytes on every system.
/// </summary>
sealed class Markup(TextWriter writer)
{
    readonly Stack<string> _open = new();
    int _lastId;

    /// <summary>A new id, unique in the document and the same in every run.</summary>
    public string NewId(string prefix) => string.Create(CultureInfo.InvariantCulture, $"{prefix}{++_lastId}");

    /// <summary>Opens an element; disposing the result closes it.</summary>
    public MarkupElement Open(string tag, params ReadOnlySpan<(string Name, string Value)> attributes)
    {
        WriteTag(tag, attributes);
        writer.Write('>');
        _open.Push(tag);
        return new MarkupElement(this);
    }

    /// <summary>An element without content, such as <c>circle</c> or <c>meta</c>.</summary>
    public Markup Void(string tag, params ReadOnlySpan<(string Name, string Value)> attributes)
    {
        WriteTag(tag, attributes);
        writer.Write("/>");
        return this;
    }

    /// <summary>An element that holds one text.</summary>
    public Markup Element(string tag, string text, params ReadOnlySpan<(string Name, string Value)> attributes)
    {
        using (Open(tag, attributes))
        {
            Text(text);
        }

        return this;
    }

    /// <summary>A text, escaped.</summary>
    public Markup Text(string text)
    {
        writer.Write(MarkupText.Escape(text));
        return this;
    }

    /// <summary>A line end, to keep the file readable.</summary>
    public Markup Line()
    {
        writer.Write('\n');
        return this;
    }

    /// <summary>Style or script of our own, as it is; a CDATA section keeps the document well-formed XML.</summary>
    public Markup Embedded(string tag, string content)
    {
        writer.Write($"<{tag}>{Embed(content)}</{tag}>\n");
        return this;
    }

    /// <summary>What stands between the tags of <see cref="Embedded"/>.</summary>
    public static string Embed(string content) => $"/*<![CDATA[*/\n{content.ReplaceLineEndings("\n")}/*]]>*/";

    /// <summary>Closes the element opened last.</summary>
    internal void Close() => writer.Write($"</{_open.Pop()}>");

    void WriteTag(string tag, ReadOnlySpan<(string Name, string Value)> attributes)
    {
        writer.Write('<');
        writer.Write(tag);
        foreach (var (name, value) in attributes)
        {
            writer.Write($" {name}=\"{MarkupText.Escape(value)}\"");
        }
    }
}

/// <summary>An open element; disposing it writes the end tag.</summary>
readonly struct MarkupElement(Markup markup) : IDisposable
{
    public void Dispose() => markup.Close();
}

/// <summary>Texts made safe for HTML and XML, and cut without breaking a character.</summary>
static class MarkupText
{
    /// <summary>
    /// Escapes <c>&amp; &lt; &gt; " '</c>; what XML does not allow (control characters, lone surrogates) becomes
    /// U+FFFD.
    /// </summary>
    public static string Escape(string text)
    {
        var result = new StringBuilder(text.Length + 16);
        foreach (var rune in text.ReplaceLineEndings("\n").EnumerateRunes())
        {
            Append(result, rune);
        }

        return result.ToString();
    }

    /// <summary>The first <paramref name="limit"/> characters as a reader counts them, and how many follow.</summary>
    public static (string Head, int Left) Cut(string text, int limit)
    {
        if (text.Length <= limit)
        {
            return (text, 0);
        }

        var starts = StringInfo.ParseCombiningCharacters(text);
        return starts.Length <= limit ? (text, 0) : (text[..starts[limit]], starts.Length - limit);
    }

    /// <summary>A text for a narrow place, with an ellipsis where it was cut.</summary>
    public static string Shorten(string text, int limit)
    {
        var (head, left) = Cut(text, limit);
        return left == 0 ? head : head.TrimEnd() + "…";
    }

    static void Append(StringBuilder result, Rune rune)
    {
        var escaped = rune.Value switch
        {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '"' => "&quot;",
            '\'' => "&#39;",
            '\n' or '\t' => null,
            < ' ' or 0xFFFE or 0xFFFF => "\uFFFD",
            _ => null,
        };
        if (escaped is null)
        {
            result.Append(rune);
        }
        else
        {
            result.Append(escaped);
        }
    }
}
