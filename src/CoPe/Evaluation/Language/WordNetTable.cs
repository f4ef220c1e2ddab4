using System.Runtime.InteropServices;
using System.Text;

namespace CoPe.Evaluation.Language;

/// <summary>WordNet in memory: its parts of speech, and the case of the words in it.</summary>
sealed class WordNetTable
{
    readonly Dictionary<string, PartOfSpeech> parts = new(StringComparer.Ordinal)
    {
        ["noun"] = new([("s", ""), ("ses", "s"), ("ves", "f"), ("xes", "x"), ("zes", "z"), ("ches", "ch"), ("shes", "sh"), ("men", "man"), ("ies", "y")]),
        ["verb"] = new([("s", ""), ("ies", "y"), ("es", "e"), ("es", ""), ("ed", "e"), ("ed", ""), ("ing", "e"), ("ing", "")]),
        ["adj"] = new([("er", ""), ("est", ""), ("er", "e"), ("est", "e")]),
        ["adv"] = new([]),
    };
    readonly Dictionary<string, WordCase> cases = new(StringComparer.Ordinal);

    /// <summary>Reads the table's text, whose form <c>build/WordNetTable.cs</c> describes, and closes it.</summary>
    public static WordNetTable Read(Stream text)
    {
        using var reader = new StreamReader(text, Encoding.UTF8);
        var table = new WordNetTable();
        var (part, irregular) = (table.parts["noun"], false);
        while (reader.ReadLine() is { } line)
        {
            if (line[0] == '#') continue;
            if (line[0] == '@') (part, irregular) = (table.parts[line[1..].Split('.')[0]], line.EndsWith(".exc", StringComparison.Ordinal));
            else if (irregular && line.Split(' ') is [var form, .. var bases]) part.AddIrregular(form, bases);
            else table.Add(part, line.Split(' '));
        }
        return table;
    }

    /// <summary>Single-word synonyms of a form in lower case.</summary>
    public HashSet<string> Synonyms(string form)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var part in parts.Values) part.Collect(form, names);
        return names;
    }

    /// <summary>How a word stands in WordNet, in words of its own or inside longer ones.</summary>
    public WordCase CaseOf(string form) => cases.GetValueOrDefault(form);

    void Add(PartOfSpeech part, string[] words)
    {
        part.AddSynset(words);
        foreach (var word in words)
            if (word.AsSpan().IndexOfAny('_', '-', '/') < 0) AddCase(word);
            else
                foreach (var piece in word.Split(['_', '-', '/'], StringSplitOptions.RemoveEmptyEntries)) AddCase(piece);
    }

    void AddCase(string word) =>
        CollectionsMarshal.GetValueRefOrAddDefault(cases, word.ToLowerInvariant(), out _) |= char.IsUpper(word[0]) ? WordCase.Capital : WordCase.Lower;
}
