using System.Globalization;

namespace CoPe.Evaluation.Report;

/// <summary>
/// Writes elements that are at once HTML and well-formed XML, and escapes every text and attribute, so that no user's text can
/// become markup. Line ends are always <c>\n</c>: the same input gives the same bytes on every system.
/// </summary>
internal sealed class Markup(TextWriter writer)
{
    private readonly Stack<string> open = new();
    private int lastId;

    /// <summary>A new id, unique in the document and the same in every run.</summary>
    public string NewId(string prefix) => string.Create(CultureInfo.InvariantCulture, $"{prefix}{++lastId}");

    /// <summary>Opens an element; disposing the result closes it.</summary>
    public MarkupElement Open(string tag, params ReadOnlySpan<(string Name, string Value)> attributes)
    {
        WriteTag(tag, attributes);
        writer.Write('>');
        open.Push(tag);
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
            Text(text);
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
        writer.Write($"<{tag}>/*<![CDATA[*/\n{content.ReplaceLineEndings("\n")}/*]]>*/</{tag}>\n");
        return this;
    }

    /// <summary>Closes the element opened last.</summary>
    internal void Close() => writer.Write($"</{open.Pop()}>");

    private void WriteTag(string tag, ReadOnlySpan<(string Name, string Value)> attributes)
    {
        writer.Write('<');
        writer.Write(tag);
        foreach (var (name, value) in attributes)
            writer.Write($" {name}=\"{MarkupText.Escape(value)}\"");
    }
}
