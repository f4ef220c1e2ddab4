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

    /// <summary>The text of a file of settings.</summary>
    /// <exception cref="SettingsException">It is too large, or no text.</exception>
    public static string ReadFile(string path)
    {
        const int MostBytesOfCharacter = 4;
        var bytes = new FileInfo(path).Length;
        if (bytes > MaxLength * MostBytesOfCharacter)
        {
            throw new SettingsException(
                $"{path} has {bytes:N0} bytes; settings of at most {MaxLength:N0} characters were expected"
            );
        }

        try
        {
            return TextEncoding.ReadAllText(path);
        }
        catch (InvalidDataException error)
        {
            throw new SettingsException(error.Message, error);
        }
    }

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

        ThrowIfNul(text, name);
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

    /// <summary>The parser takes NUL for the end of the text, or of a word, without a word.</summary>
    static void ThrowIfNul(string text, string name)
    {
        var nul = text.IndexOf('\0');
        if (nul >= 0)
        {
            var before = text.AsSpan(0, nul);
            throw new SettingsException(
                $"{name} line {before.Count('\n') + 1}, column {nul - before.LastIndexOf('\n')}: "
                    + "the text holds a NUL character"
            );
        }
    }

    /// <summary>Looks at the events alone, before nodes are made of them one inside the other.</summary>
    static void CheckShape(string text, string name)
    {
        var parser = new Parser(new StringReader(text));
        var names = new YamlNames();
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

            if (names.Advance(parser.Current) is { } problem)
            {
                throw new SettingsException($"{name} line {line}, column {parser.Current.Start.Column}: {problem}");
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

/// <summary>
/// The keys of the mappings that are open where a parser stands, each a word of its own, and the anchors so far.
/// </summary>
sealed class YamlNames
{
    readonly Stack<Level> _open = [];
    readonly HashSet<AnchorName> _anchors = [];

    /// <summary>Takes the parser's event; what is wrong with it as a text, key or alias, or null.</summary>
    public string? Advance(ParsingEvent current)
    {
        if (current is AnchorAlias alias && !_anchors.Contains(alias.Value))
        {
            return $"the alias *{alias.Value} stands for nothing before it";
        }

        if (current is Scalar scalar && !IsText(scalar.Value))
        {
            return "the text holds a NUL character, or half of a surrogate pair";
        }

        if (current is NodeEvent { Anchor.IsEmpty: false } node)
        {
            _anchors.Add(node.Anchor);
        }

        if (current is MappingEnd or SequenceEnd)
        {
            _open.Pop();
            return null;
        }

        var isKey = current is NodeEvent && _open.TryPeek(out var level) && level.TakesKey();
        var problem = isKey ? CheckKey(current) : null;
        if (current is MappingStart or SequenceStart)
        {
            _open.Push(new(current is MappingStart));
        }

        return problem;
    }

    /// <summary>
    /// Whether a text is Unicode and could be part of a path. Half of a pair is enumerated as another rune.
    /// </summary>
    static bool IsText(string text) =>
        !text.Contains('\0', StringComparison.Ordinal) && string.Concat(text.EnumerateRunes()) == text;

    string? CheckKey(ParsingEvent key)
    {
        if (key is not Scalar word)
        {
            return "a list, a section or an alias stands where a key was expected";
        }

        return _open.Peek().Keys.Add(word.Value) ? null : $"the key '{word.Value}' stands twice; take one out";
    }

    sealed class Level(bool isMapping)
    {
        bool _isAtKey;

        public HashSet<string> Keys { get; } = [];

        /// <summary>Goes to the next node; whether that is a key.</summary>
        public bool TakesKey() => isMapping && (_isAtKey = !_isAtKey);
    }
}
