using System.Collections.Concurrent;
using System.IO.Compression;

namespace CoPe.Evaluation.Language;

/// <summary>The synonyms of WordNet 3.0, from a table inside the library that <c>build/WordNetTable.cs</c> makes from WordNet's files.</summary>
/// <remarks>
/// Fellbaum (ed.), "WordNet: An Electronic Lexical Database", 1998; the licence is <see cref="Licence"/>. Base forms are found as WordNet's
/// <c>morphy</c> does: irregular forms by a list, others by endings. The table is read at first use, in about a tenth of a second. Safe for many threads.
/// </remarks>
public static class WordNet
{
    const int MostCached = 200_000;

    static readonly Lazy<WordNetTable> Table = new(() => WordNetTable.Read(Open("wordnet-3.0.txt.br")));
    static readonly ConcurrentDictionary<string, IReadOnlySet<string>> Cache = new(StringComparer.Ordinal);

    /// <summary>The licence of WordNet, which goes with every copy of its data.</summary>
    public static string Licence
    {
        get
        {
            using var reader = new StreamReader(Open("LICENSE-WordNet.txt"));
            return reader.ReadToEnd();
        }
    }

    /// <summary>Every single word that shares a synset with the word or with one of its base forms, in any part of speech; the word itself where WordNet has it.</summary>
    /// <param name="word">One word; its case does not matter.</param>
    /// <returns>Words as WordNet writes them, names with a capital; empty for an unknown word. Not to be changed.</returns>
    public static IReadOnlySet<string> Synonyms(string word)
    {
        var form = Lowercase.Of(word);
        if (Cache.TryGetValue(form, out var known)) return known;
        var synonyms = Table.Value.Synonyms(form);
        if (Cache.Count < MostCached) Cache[form] = synonyms;
        return synonyms;
    }

    /// <summary>How a word in lower case is written inside WordNet's words and names; an inflected form as its base form.</summary>
    internal static WordCase CaseOf(string word)
    {
        var seen = Table.Value.CaseOf(word);
        return seen == WordCase.Unknown && Synonyms(word).Any(name => char.IsLower(name[0])) ? WordCase.Lower : seen;
    }

    static Stream Open(string resource)
    {
        var stream = typeof(WordNet).Assembly.GetManifestResourceStream(resource)
            ?? throw new InvalidOperationException($"The library was built without its resource {resource}. Build it from the whole repository.");
        return resource.EndsWith(".br", StringComparison.Ordinal) ? new BrotliStream(stream, CompressionMode.Decompress) : stream;
    }
}
