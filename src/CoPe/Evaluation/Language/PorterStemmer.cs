using System.Collections.Frozen;

namespace CoPe.Evaluation.Language;

/// <summary>The Porter stemmer with the departures that NLTK makes by default, on which METEOR's stems and ROUGE's stemming rest.</summary>
/// <remarks>
/// Porter, "An algorithm for suffix stripping", 1980, in the form of NLTK's <c>PorterStemmer(mode=NLTK_EXTENSIONS)</c>: a few irregular words,
/// words of one or two characters as they are, and changed rules for <c>-ies</c>, <c>-ied</c>, <c>-y</c>, <c>-alli</c>, <c>-bli</c>, <c>-fulli</c>, <c>-logi</c>.
/// </remarks>
public static class PorterStemmer
{
    static readonly FrozenDictionary<string, string> Irregular = new Dictionary<string, string>
    {
        ["sky"] = "sky", ["skies"] = "sky", ["dying"] = "die", ["lying"] = "lie", ["tying"] = "tie", ["news"] = "news",
        ["inning"] = "inning", ["innings"] = "inning", ["outing"] = "outing", ["outings"] = "outing", ["canning"] = "canning",
        ["cannings"] = "canning", ["howe"] = "howe", ["proceed"] = "proceed", ["exceed"] = "exceed", ["succeed"] = "succeed",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The stem of a word, for example <c>achiev</c> for <c>achieved</c>.</summary>
    /// <param name="word">One word; its case does not matter.</param>
    public static string Stem(string word)
    {
        var lower = Lowercase.Of(word);
        if (Irregular.TryGetValue(lower, out var irregular)) return irregular;
        if (lower.Length <= 2 || lower.Length <= 4 && CodePoints(lower) <= 2) return lower;
        var stem = PorterSteps.PastTenseAndGerund(PorterSteps.Plural(lower));
        stem = PorterSteps.FinalY(stem);
        stem = PorterSteps.DoubleSuffix(stem);
        stem = PorterSteps.SingleSuffix(stem);
        stem = PorterSteps.LastSuffix(stem);
        return PorterSteps.DoubleL(PorterSteps.FinalE(stem));
    }

    static int CodePoints(string word) => word.EnumerateRunes().Count();
}
