using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace CoPe.Experiments.Settings;

/// <summary>
/// Reads YAML that anybody may have written: one document, of bounded size and depth. Whatever is wrong with it is a
/// <see cref="SettingsException"/> that names file, line and column.
/// </summary>
static class YamlText
{
    /// <summary>Settings are nested three deep.</summary>
    const int MaxDepth = 32;
    const int MaxLength = 1 << 20;

    /// <summary>The document; null for an empty one.</summary>
    /// <param name="text">The text.</param>
    /// <param name="name">Stands for the file in messages.</param>
    public static YamlNode? Parse(string text, string name)
    {
        if (text.Length > MaxLength)
        {
            throw new SettingsException(
                $"{name} has {text.Length:N0} characters; settings of at most {MaxLength:N0} were expected"
            );
        }

        try
        {
            CheckShape(text, name);
            var stream = new YamlStream();
            stream.Load(new StringReader(text));
            return stream.Documents.Count == 0 ? null : stream.Documents[0].RootNode;
        }
        catch (YamlException error)
        {
            var (line, column) = FindPlace(error, text);
            throw Invalid(name, line, column, (error.InnerException ?? error).Message, error);
        }
        catch (Exception error) when (error is not (SettingsException or OutOfMemoryException))
        {
            // The parser meets some broken streams with errors of its own making.
            throw Invalid(
                name,
                text.Count(c => c == '\n') + 1,
                1,
                $"the text ends early or is broken ({error.Message})",
                error
            );
        }
    }

    /// <summary>Looks at the events alone, before nodes are made of them one inside the other.</summary>
    static void CheckShape(string text, string name)
    {
        var parser = new Parser(new StringReader(text));
        var depth = 0;
        var documents = 0;
        while (parser.MoveNext())
        {
            var line = parser.Current!.Start.Line;
            depth += parser.Current.NestingIncrease;
            documents += parser.Current is DocumentStart ? 1 : 0;
            if (documents > 1)
            {
                throw new SettingsException(
                    $"{name} line {line}: a second document begins here, which would not be read; "
                        + "one file holds one document"
                );
            }

            if (depth > MaxDepth)
            {
                throw new SettingsException($"{name} line {line}: nested more than {MaxDepth} deep");
            }
        }
    }

    /// <summary>
    /// Where it went wrong: the innermost place that the parser names; where it speaks of a tab, the line that is
    /// indented by one, which it may call by the line that it began with.
    /// </summary>
    static (long Line, long Column) FindPlace(YamlException error, string text)
    {
        var innermost = error;
        while (innermost.InnerException is YamlException inner)
        {
            innermost = inner;
        }

        var isTab = innermost.Message.Contains("tab", StringComparison.Ordinal);
        return (isTab ? FindTab(text, innermost.Start.Line) : null) ?? (innermost.Start.Line, innermost.Start.Column);
    }

    /// <summary>The first line from this one on that is indented by a tab; null where none is.</summary>
    static (long Line, long Column)? FindTab(string text, long firstLine)
    {
        var number = 0L;
        foreach (var line in text.Split('\n'))
        {
            number++;
            var indent = line[..^line.TrimStart().Length];
            var tab = indent.IndexOf('\t', StringComparison.Ordinal);
            if (number >= firstLine && tab >= 0)
            {
                return (number, tab + 1);
            }
        }

        return null;
    }

    static SettingsException Invalid(string name, long line, long column, string problem, Exception error) =>
        new($"{name} line {line}, column {column}: not valid YAML: {problem}", error);
}
