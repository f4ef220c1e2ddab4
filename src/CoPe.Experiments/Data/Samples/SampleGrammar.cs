using System.Reflection;
using System.Text;

namespace CoPe.Experiments.Data.Samples;

/// <summary>The grammar all sample texts are made by; shared.txt in this folder says how it is written.</summary>
sealed class SampleGrammar
{
    readonly Dictionary<string, SampleSymbol> _symbols = [];
    readonly ILookup<string, SampleSymbol> _facts;

    SampleGrammar(IEnumerable<string> lines)
    {
        var opened = ("", '=');
        foreach (var line in lines.Select(line => line.Trim()).Where(line => line.Length > 0 && line[0] != '#'))
        {
            if (line[0] is '!' or '=' or '~')
            {
                opened = (line[1..].Trim(), line[0]);
                continue;
            }
            var alternatives = line.Split('|', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            _symbols.Add(opened.Item1, new(opened.Item1, opened.Item2, alternatives));
        }
        _facts = Symbols.Where(symbol => symbol.Kind == '!').ToLookup(symbol => symbol.Name.Split('.')[0]);
    }

    /// <summary>The grammar built into the library.</summary>
    public static SampleGrammar Shipped { get; } =
        new(new[] { "shared", "news", "science", "products", "community" }.SelectMany(Lines));

    /// <summary>The symbol of a name.</summary>
    public SampleSymbol this[string name] =>
        _symbols.TryGetValue(name, out var symbol)
            ? symbol
            : throw new KeyNotFoundException(
                $"The sample grammar has no symbol \"{name}\"; the nearest is \"{NearestName.FindNearest(name, _symbols.Keys)}\"."
            );

    /// <summary>Every symbol, in the order written.</summary>
    public IEnumerable<SampleSymbol> Symbols => _symbols.Values;

    /// <summary>The facts of a domain, in the order written.</summary>
    public IEnumerable<SampleSymbol> Facts(string domain) => _facts[domain];

    static IEnumerable<string> Lines(string file)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream($"samples/{file}.txt")!;
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
        {
            yield return line;
        }
    }
}

/// <summary>A symbol of the sample grammar.</summary>
/// <param name="Name">Its name, which begins with that of its domain.</param>
/// <param name="Kind"><c>!</c> a fact, <c>=</c> free, <c>~</c> style.</param>
/// <param name="Alternatives">What it may stand for.</param>
sealed record SampleSymbol(string Name, char Kind, IReadOnlyList<string> Alternatives);

/// <summary>Expands symbols of the grammar into text for one piece of content and one author.</summary>
sealed class SampleExpander(
    SampleGrammar grammar,
    IReadOnlyDictionary<string, string> facts,
    SampleAuthor? author,
    SampleRandom draw
)
{
    /// <summary>
    /// Draws the facts of a piece of content; choices of style inside them stay open until they are written.
    /// </summary>
    public static IReadOnlyDictionary<string, string> DrawFacts(SampleGrammar grammar, string domain, SampleRandom draw)
    {
        var facts = new Dictionary<string, string>();
        var expansion = new SampleExpander(grammar, facts, null, draw) { KeepsStyle = true };
        foreach (var fact in grammar.Facts(domain))
        {
            facts[fact.Name] = expansion.ExpandReferences(fact.Alternatives[draw.Next(fact.Alternatives.Count)]);
        }

        return facts;
    }

    bool KeepsStyle { get; init; }

    /// <summary>The text of a symbol, in the form of the number where it has forms.</summary>
    public string Expand(string symbol, int? form = null) => SelectForm(ChooseAlternative(symbol), form);

    string ChooseAlternative(string name)
    {
        if (facts.TryGetValue(name, out var fact))
        {
            return fact;
        }

        var symbol = grammar[name];
        var count = symbol.Alternatives.Count;
        var choice = symbol.Kind == '~' && author is not null ? author.Choose(name, count, draw) : draw.Next(count);
        return symbol.Alternatives[choice];
    }

    string SelectForm(string text, int? form)
    {
        if (form is not { } number)
        {
            return ExpandReferences(text);
        }
        // A fact may stand for a set of synonyms, whose words have the forms: the form then goes on to the word.
        return text is ['{', .. var inner, '}'] ? ExpandReference($"{inner}:{number}") : text.Split('/')[number];
    }

    string ExpandReferences(string text)
    {
        var filled = new StringBuilder();
        for (var at = 0; at < text.Length; )
        {
            var open = text.IndexOf('{', at);
            if (open < 0)
            {
                filled.Append(text, at, text.Length - at);
                break;
            }
            var close = text.IndexOf('}', open);
            filled.Append(text, at, open - at).Append(ExpandReference(text[(open + 1)..close]));
            at = close + 1;
        }
        return filled.ToString();
    }

    string ExpandReference(string reference)
    {
        var colon = reference.IndexOf(':');
        var name = colon < 0 ? reference : reference[..colon];
        if (name.IndexOf('@') is var by and >= 0)
        {
            name = $"{name[..by]}.{Expand(name[(by + 1)..])}";
        }

        if (KeepsStyle && !facts.ContainsKey(name) && grammar[name].Kind == '~')
        {
            return $"{{{reference}}}";
        }

        return Expand(
            name,
            colon < 0 ? null : int.Parse(reference.AsSpan(colon + 1), System.Globalization.CultureInfo.InvariantCulture)
        );
    }
}
