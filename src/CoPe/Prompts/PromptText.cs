using System.Text;

namespace CoPe.Prompts;

/// <summary>A text with names in braces; a doubled brace is a brace. What is filled in is taken as it is, braces included.</summary>
sealed class PromptText
{
    readonly List<(string Text, bool IsName)> parts = [];

    PromptText(string text) => Text = text;

    /// <summary>The text as written.</summary>
    public string Text { get; }

    public IEnumerable<string> Names => parts.Where(part => part.IsName).Select(part => part.Text);

    /// <exception cref="FormatException">A brace is not closed or not opened.</exception>
    public static PromptText Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var parsed = new PromptText(text);
        var plain = new StringBuilder();
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] is not ('{' or '}')) { plain.Append(text[i]); continue; }
            if (i + 1 < text.Length && text[i + 1] == text[i]) { plain.Append(text[i++]); continue; }
            var close = text.IndexOf('}', i);
            if (text[i] == '}' || close < 0)
                throw new FormatException($"a single \"{text[i]}\" at character {i + 1}, expected a name in braces such as {{title}}, or a doubled brace for a brace");
            parsed.parts.Add((plain.ToString(), false));
            parsed.parts.Add((text[(i + 1)..close], true));
            plain.Clear();
            i = close;
        }
        parsed.parts.Add((plain.ToString(), false));
        return parsed;
    }

    public string Fill(Func<string, string> value) => string.Concat(parts.Select(part => part.IsName ? value(part.Text) : part.Text));
}
