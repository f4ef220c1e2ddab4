using System.Globalization;
using System.Reflection;
using System.Text;

namespace CoPe.Experiments.Data.Samples;

/// <summary>The grammar that generates all sample texts; shared.txt in this folder documents its format.</summary>
sealed class SampleGrammar
{
    readonly Dictionary<string, SampleSymbol> _symbols = [];
    readonly ILookup<string, SampleSymbol> _facts;

    SampleGrammar(IEnumerable<string> lines)
    {
        var name = "";
        var kind = '=';
        foreach (var line in lines.Select(line => line.Trim()).Where(line => line.Length > 0 && line[0] != '#'))
        {
            if (line[0] is '!' or '=' or '~')
            {
                name = line[1..].Trim();
                kind = line[0];
                continue;
            }

            var alternatives = line.Split('|', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            _symbols.Add(name, new(name, kind, alternatives));
        }

        _facts = Symbols.Where(symbol => symbol.Kind == '!').ToLookup(symbol => symbol.Name.Split('.')[0]);
    }

    /// <summary>The grammar built into the library.</summary>
    public static SampleGrammar Shipped { get; } =
        new(new[] { "shared", "news", "science", "products", "community" }.SelectMany(ReadLines));

    /// <summary>The symbol of a name.</summary>
    public SampleSymbol this[string name] =>
        _symbols.TryGetValue(name, out var symbol)
            ? symbol
            : throw new KeyNotFoundException(
                $"The sample grammar has no symbol \"{name}\"; "
                    + $"the nearest is \"{NearestName.FindNearest(name, _symbols.Keys)}\"."
            );

    /// <summary>Every symbol, in the order written.</summary>
    public IEnumerable<SampleSymbol> Symbols => _symbols.Values;

    /// <summary>The facts of a domain, in the order written.</summary>
    public IEnumerable<SampleSymbol> Facts(string domain) => _facts[domain];

    static IEnumerable<string> ReadLines(string file)
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
    SampleRandom random
)
{
    /// <summary>
    /// Draws the facts of a piece of content; choices of style inside them stay open until they are written.
    /// </summary>
    public static IReadOnlyDictionary<string, string> DrawFacts(
        SampleGrammar grammar,
        string domain,
        SampleRandom random
    )
    {
        var facts = new Dictionary<string, string>();
        var expander = new SampleExpander(grammar, facts, null, random) { KeepsStyle = true };
        foreach (var fact in grammar.Facts(domain))
        {
            facts[fact.Name] = expander.ExpandReferences(fact.Alternatives[random.Next(fact.Alternatives.Count)]);
        }

        return facts;
    }

    bool KeepsStyle { get; init; }

    /// <summary>The text of a symbol; of one with several forms, such as a plural, the numbered one.</summary>
    public string Expand(string symbol, int? form = null) => SelectForm(ChooseAlternative(symbol), form);

    string ChooseAlternative(string name)
    {
        if (facts.TryGetValue(name, out var fact))
        {
            return fact;
        }

        var symbol = grammar[name];
        var count = symbol.Alternatives.Count;
        var choice = symbol.Kind == '~' && author is not null ? author.Choose(name, count, random) : random.Next(count);
        return symbol.Alternatives[choice];
    }

    string SelectForm(string text, int? form)
    {
        if (form is null)
        {
            return ExpandReferences(text);
        }

        // A fact may stand for a set of synonyms, whose words have the forms: the form is then that of the word.
        var isReference = text.StartsWith('{') && text.EndsWith('}');
        return isReference ? ExpandReference($"{text[1..^1]}:{form}") : text.Split('/')[form.Value];
    }

    string ExpandReferences(string text)
    {
        var expanded = new StringBuilder();
        for (var at = 0; at < text.Length;)
        {
            var open = text.IndexOf('{', at);
            if (open < 0)
            {
                expanded.Append(text, at, text.Length - at);
                break;
            }

            var close = text.IndexOf('}', open);
            expanded.Append(text, at, open - at).Append(ExpandReference(text[(open + 1)..close]));
            at = close + 1;
        }

        return expanded.ToString();
    }

    string ExpandReference(string reference)
    {
        var colon = reference.IndexOf(':');
        var name = colon < 0 ? reference : reference[..colon];
        var at = name.IndexOf('@');
        if (at >= 0)
        {
            name = $"{name[..at]}.{Expand(name[(at + 1)..])}";
        }

        if (KeepsStyle && !facts.ContainsKey(name) && grammar[name].Kind == '~')
        {
            return $"{{{reference}}}";
        }

        int? form = colon < 0 ? null : int.Parse(reference.AsSpan(colon + 1), CultureInfo.InvariantCulture);
        return Expand(name, form);
    }
}
