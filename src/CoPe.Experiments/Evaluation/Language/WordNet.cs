using System.Collections.Concurrent;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;

namespace CoPe.Experiments.Evaluation.Language;

/// <summary>
/// The synonyms of WordNet 3.0, from a table inside the library that <c>build/WordNetTable.cs</c> makes from WordNet's
/// files.
/// </summary>
/// <remarks>
/// Fellbaum (ed.), "WordNet: An Electronic Lexical Database", 1998; the license is <see cref="License"/>. Base forms
/// are found as WordNet's <c>morphy</c> does: irregular forms by a list, others by endings. The table is read at first
/// use, in about a tenth of a second. Safe for many threads.
/// </remarks>
static class WordNet
{
    const int MaxCached = 200_000;

    static readonly Lazy<WordNetTable> Table = new(() => WordNetTable.Read(Open("wordnet-3.0.txt.br")));
    static readonly ConcurrentDictionary<string, IReadOnlySet<string>> Cache = new(StringComparer.Ordinal);

    /// <summary>The license of WordNet, which goes with every copy of its data.</summary>
    public static string License
    {
        get
        {
            using var reader = new StreamReader(Open("LICENSE-WordNet.txt"));
            return reader.ReadToEnd();
        }
    }

    /// <summary>
    /// Every single word that shares a synset with the word or with one of its base forms, in any part of speech; the
    /// word itself where WordNet has it.
    /// </summary>
    /// <param name="word">One word; its case does not matter.</param>
    /// <returns>
    /// Words as WordNet writes them, names with a capital; empty for an unknown word. Not to be changed.
    /// </returns>
    public static IReadOnlySet<string> Synonyms(string word)
    {
        var form = UnicodeText.ToLower(word);
        if (Cache.TryGetValue(form, out var known))
        {
            return known;
        }

        var synonyms = Table.Value.Synonyms(form);
        if (Cache.Count < MaxCached)
        {
            Cache[form] = synonyms;
        }

        return synonyms;
    }

    /// <summary>
    /// How a word in lower case is written inside WordNet's words and names; an inflected form as its base form.
    /// </summary>
    public static WordCase CaseOf(string word)
    {
        var wordCase = Table.Value.CaseOf(word);
        if (wordCase != WordCase.Unknown)
        {
            return wordCase;
        }

        return Synonyms(word).Any(name => char.IsLower(name[0])) ? WordCase.Lower : WordCase.Unknown;
    }

    static Stream Open(string resource)
    {
        var stream =
            typeof(WordNet).Assembly.GetManifestResourceStream(resource)
            ?? throw new InvalidOperationException(
                $"The library was built without its resource {resource}. Build it from the whole repository."
            );
        return resource.EndsWith(".br", StringComparison.Ordinal)
            ? new BrotliStream(stream, CompressionMode.Decompress)
            : stream;
    }
}

/// <summary>WordNet in memory: its parts of speech, and the case of the words in it.</summary>
sealed class WordNetTable
{
    readonly Dictionary<string, PartOfSpeech> _parts = new(StringComparer.Ordinal)
    {
        ["noun"] = new([
            ("s", ""),
            ("ses", "s"),
            ("ves", "f"),
            ("xes", "x"),
            ("zes", "z"),
            ("ches", "ch"),
            ("shes", "sh"),
            ("men", "man"),
            ("ies", "y"),
        ]),
        ["verb"] = new([
            ("s", ""),
            ("ies", "y"),
            ("es", "e"),
            ("es", ""),
            ("ed", "e"),
            ("ed", ""),
            ("ing", "e"),
            ("ing", ""),
        ]),
        ["adj"] = new([("er", ""), ("est", ""), ("er", "e"), ("est", "e")]),
        ["adv"] = new([]),
    };
    readonly Dictionary<string, WordCase> _cases = new(StringComparer.Ordinal);

    /// <summary>Reads the table's text, whose form <c>build/WordNetTable.cs</c> describes, and closes it.</summary>
    public static WordNetTable Read(Stream text)
    {
        using var reader = new StreamReader(text, Encoding.UTF8);
        var table = new WordNetTable();
        var part = table._parts["noun"];
        var isIrregular = false;
        while (reader.ReadLine() is { } line)
        {
            if (line[0] == '#')
            {
                continue;
            }

            if (line[0] == '@')
            {
                part = table._parts[line[1..].Split('.')[0]];
                isIrregular = line.EndsWith(".exc", StringComparison.Ordinal);
            }
            else if (isIrregular && line.Split(' ') is [var form, .. var bases])
            {
                part.AddIrregular(form, bases);
            }
            else
            {
                table.Add(part, line.Split(' '));
            }
        }

        return table;
    }

    /// <summary>Single-word synonyms of a form in lower case.</summary>
    public HashSet<string> Synonyms(string form)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var part in _parts.Values)
        {
            part.Collect(form, names);
        }

        return names;
    }

    /// <summary>How WordNet writes a word, as an entry of its own or inside longer ones.</summary>
    public WordCase CaseOf(string form) => _cases.GetValueOrDefault(form);

    void Add(PartOfSpeech part, string[] words)
    {
        part.AddSynset(words);
        foreach (var word in words)
        {
            if (word.AsSpan().IndexOfAny('_', '-', '/') < 0)
            {
                AddCase(word);
                continue;
            }

            foreach (var piece in word.Split(['_', '-', '/'], StringSplitOptions.RemoveEmptyEntries))
            {
                AddCase(piece);
            }
        }
    }

    void AddCase(string word)
    {
        var wordCase = char.IsUpper(word[0]) ? WordCase.Capital : WordCase.Lower;
        CollectionsMarshal.GetValueRefOrAddDefault(_cases, word.ToLowerInvariant(), out _) |= wordCase;
    }
}

/// <summary>
/// One part of speech of WordNet: which synsets a form is in, its irregular forms, and the endings that lead to a
/// base form.
/// </summary>
sealed class PartOfSpeech(IReadOnlyList<(string Ending, string Replacement)> endings)
{
    readonly Dictionary<string, int> _heads = new(StringComparer.Ordinal); // form -> its last entry
    readonly List<(string[] Names, int Next)> _entries = []; // the words of a synset, and the form's entry before
    readonly Dictionary<string, string[]> _irregular = new(StringComparer.Ordinal);

    /// <summary>Adds a synset: each word, in lower case, leads to the words without an underscore.</summary>
    public void AddSynset(string[] words)
    {
        var names = Array.TrueForAll(words, IsSingle) ? words : Array.FindAll(words, IsSingle);
        foreach (var word in words)
        {
            ref var head = ref CollectionsMarshal.GetValueRefOrAddDefault(
                _heads,
                word.ToLowerInvariant(),
                out var known
            );
            _entries.Add((names, known ? head : -1));
            head = _entries.Count - 1;
        }
    }

    /// <summary>Adds an irregular form with its base forms.</summary>
    public void AddIrregular(string form, string[] bases) => _irregular[form] = bases;

    /// <summary>Adds the single-word names of every synset of a form and of its base forms.</summary>
    public void Collect(string form, HashSet<string> names)
    {
        foreach (var known in BaseForms(form))
        {
            for (var entry = _heads[known]; entry >= 0; entry = _entries[entry].Next)
            {
                names.UnionWith(_entries[entry].Names);
            }
        }
    }

    /// <summary>
    /// The forms that WordNet has: an irregular form's bases; else the form and what one ending leads to; else what
    /// more endings lead to.
    /// </summary>
    HashSet<string> BaseForms(string form)
    {
        if (_irregular.TryGetValue(form, out var bases))
        {
            return Known([form, .. bases]);
        }

        var forms = Shorten([form]);
        var known = Known([form, .. forms]);
        while (known.Count == 0 && forms.Count > 0)
        {
            forms = Shorten(forms);
            known = Known(forms);
        }

        return known;
    }

    List<string> Shorten(List<string> forms) =>
        [
            .. forms.SelectMany(form =>
                endings
                    .Where(rule => form.EndsWith(rule.Ending, StringComparison.Ordinal))
                    .Select(rule => form[..^rule.Ending.Length] + rule.Replacement)
            ),
        ];

    static bool IsSingle(string word) => !word.Contains('_', StringComparison.Ordinal);

    HashSet<string> Known(List<string> forms) => [.. forms.Where(_heads.ContainsKey)];
}

/// <summary>How WordNet writes a word.</summary>
[Flags]
enum WordCase
{
    /// <summary>It is not in WordNet.</summary>
    Unknown = 0,

    /// <summary>It is an ordinary word.</summary>
    Lower = 1,

    /// <summary>It is a name or a part of one.</summary>
    Capital = 2,
}
