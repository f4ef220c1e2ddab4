using System.Text;

namespace CoPe.Data.Samples;

/// <summary>Expands symbols of the grammar into text for one piece of content and one author.</summary>
sealed class SampleExpansion(SampleGrammar grammar, IReadOnlyDictionary<string, string> facts, SampleAuthor? author, SampleDraw draw)
{
    /// <summary>Draws the facts of a piece of content; choices of style inside them stay open until they are written.</summary>
    public static IReadOnlyDictionary<string, string> Facts(SampleGrammar grammar, string domain, SampleDraw draw)
    {
        var facts = new Dictionary<string, string>();
        var expansion = new SampleExpansion(grammar, facts, null, draw) { KeepsStyle = true };
        foreach (var fact in grammar.Facts(domain)) facts[fact.Name] = expansion.Fill(fact.Alternatives[draw.Next(fact.Alternatives.Count)]);
        return facts;
    }

    bool KeepsStyle { get; init; }

    /// <summary>The text of a symbol, in the form of the number where it has forms.</summary>
    public string Of(string symbol, int? form = null) => InForm(Raw(symbol), form);

    string Raw(string name)
    {
        if (facts.TryGetValue(name, out var fact)) return fact;
        var symbol = grammar[name];
        var count = symbol.Alternatives.Count;
        var choice = symbol.Kind == '~' && author is not null ? author.Choose(name, count, draw) : draw.Next(count);
        return symbol.Alternatives[choice];
    }

    string InForm(string text, int? form)
    {
        if (form is not { } number) return Fill(text);
        // A fact may stand for a set of synonyms, whose words have the forms: the form then goes on to the word.
        return text is ['{', .. var inner, '}'] ? Reference($"{inner}:{number}") : text.Split('/')[number];
    }

    string Fill(string text)
    {
        var filled = new StringBuilder();
        for (var at = 0; at < text.Length;)
        {
            var open = text.IndexOf('{', at);
            if (open < 0) { filled.Append(text, at, text.Length - at); break; }
            var close = text.IndexOf('}', open);
            filled.Append(text, at, open - at).Append(Reference(text[(open + 1)..close]));
            at = close + 1;
        }
        return filled.ToString();
    }

    string Reference(string reference)
    {
        var colon = reference.IndexOf(':');
        var name = colon < 0 ? reference : reference[..colon];
        if (name.IndexOf('@') is var by and >= 0) name = $"{name[..by]}.{Of(name[(by + 1)..])}";
        if (KeepsStyle && !facts.ContainsKey(name) && grammar[name].Kind == '~') return $"{{{reference}}}";
        return Of(name, colon < 0 ? null : int.Parse(reference.AsSpan(colon + 1), System.Globalization.CultureInfo.InvariantCulture));
    }
}
