using System.Collections.Frozen;
using static CoPe.Experiments.Evaluation.Language.PorterWord;

namespace CoPe.Experiments.Evaluation.Language;

/// <summary>
/// The Porter stemmer with the departures that NLTK makes by default, on which METEOR's stems and ROUGE's stemming
/// rest.
/// </summary>
/// <remarks>
/// Porter, "An algorithm for suffix stripping", 1980, in the form of NLTK's <c>PorterStemmer(mode=NLTK_EXTENSIONS)</c>:
/// a few irregular words, words of one or two characters as they are, and changed rules for <c>-ies</c>, <c>-ied</c>,
/// <c>-y</c>, <c>-alli</c>, <c>-bli</c>, <c>-fulli</c>, <c>-logi</c>.
/// </remarks>
static class PorterStemmer
{
    static readonly FrozenDictionary<string, string> Irregular = new Dictionary<string, string>
    {
        ["sky"] = "sky",
        ["skies"] = "sky",
        ["dying"] = "die",
        ["lying"] = "lie",
        ["tying"] = "tie",
        ["news"] = "news",
        ["inning"] = "inning",
        ["innings"] = "inning",
        ["outing"] = "outing",
        ["outings"] = "outing",
        ["canning"] = "canning",
        ["cannings"] = "canning",
        ["howe"] = "howe",
        ["proceed"] = "proceed",
        ["exceed"] = "exceed",
        ["succeed"] = "succeed",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The stem of a word, for example <c>achiev</c> for <c>achieved</c>.</summary>
    /// <param name="word">One word; its case does not matter.</param>
    public static string Stem(string word)
    {
        var lower = UnicodeText.ToLower(word);
        if (Irregular.TryGetValue(lower, out var irregular))
        {
            return irregular;
        }

        if (lower.Length <= 2 || lower.Length <= 4 && CodePoints(lower) <= 2)
        {
            return lower;
        }

        var stem = PorterSteps.PastTenseAndGerund(PorterSteps.Plural(lower));
        stem = PorterSteps.FinalY(stem);
        stem = PorterSteps.DoubleSuffix(stem);
        stem = PorterSteps.SingleSuffix(stem);
        stem = PorterSteps.LastSuffix(stem);
        return PorterSteps.DoubleL(PorterSteps.FinalE(stem));
    }

    static int CodePoints(string word) => word.EnumerateRunes().Count();
}

/// <summary>
/// Porter's steps 1a to 5b, each a function from word to word. In a list the first ending that fits decides, whether or
/// not its condition holds.
/// </summary>
static class PorterSteps
{
    static readonly (string Ending, string Replacement)[] DoubleSuffixes =
    [
        ("ational", "ate"),
        ("tional", "tion"),
        ("enci", "ence"),
        ("anci", "ance"),
        ("izer", "ize"),
        ("bli", "ble"),
        ("alli", "al"),
        ("entli", "ent"),
        ("eli", "e"),
        ("ousli", "ous"),
        ("ization", "ize"),
        ("ation", "ate"),
        ("ator", "ate"),
        ("alism", "al"),
        ("iveness", "ive"),
        ("fulness", "ful"),
        ("ousness", "ous"),
        ("aliti", "al"),
        ("iviti", "ive"),
        ("biliti", "ble"),
        ("fulli", "ful"),
    ];

    static readonly (string Ending, string Replacement)[] SingleSuffixes =
    [
        ("icate", "ic"),
        ("ative", ""),
        ("alize", "al"),
        ("iciti", "ic"),
        ("ical", "ic"),
        ("ful", ""),
        ("ness", ""),
    ];

    static readonly string[] LastSuffixes =
    [
        "al",
        "ance",
        "ence",
        "er",
        "ic",
        "able",
        "ible",
        "ant",
        "ement",
        "ment",
        "ent",
        "ion",
        "ou",
        "ism",
        "ate",
        "iti",
        "ous",
        "ive",
        "ize",
    ];

    /// <summary>Step 1a: plural endings.</summary>
    public static string Plural(string word)
    {
        if (Ends(word, "ies"))
        {
            return word.Length == 4 ? word[..^1] : word[..^2];
        }

        if (Ends(word, "sses"))
        {
            return word[..^2];
        }

        return Ends(word, "s") && !Ends(word, "ss") ? word[..^1] : word;
    }

    /// <summary>Step 1b: -ied, -eed, -ed and -ing.</summary>
    public static string PastTenseAndGerund(string word)
    {
        if (Ends(word, "ied"))
        {
            return word.Length == 4 ? word[..^1] : word[..^2];
        }

        if (Ends(word, "eed"))
        {
            return Measure(word.AsSpan()[..^3]) > 0 ? word[..^1] : word;
        }

        var ending =
            Ends(word, "ed") && HasVowel(word.AsSpan()[..^2]) ? 2
            : Ends(word, "ing") && HasVowel(word.AsSpan()[..^3]) ? 3
            : 0;
        if (ending == 0)
        {
            return word;
        }

        var stem = word[..^ending];
        if (Ends(stem, "at") || Ends(stem, "bl") || Ends(stem, "iz"))
        {
            return stem + "e";
        }

        if (EndsInDoubleConsonant(stem))
        {
            return stem[^1] is 'l' or 's' or 'z' ? stem : stem[..^1];
        }

        return Measure(stem) == 1 && EndsShort(stem) ? stem + "e" : stem;
    }

    /// <summary>Step 1c: -y becomes -i after a consonant that is not the first letter.</summary>
    public static string FinalY(string word) =>
        Ends(word, "y") && word.Length > 2 && IsConsonant(word, word.Length - 2) ? word[..^1] + "i" : word;

    /// <summary>
    /// Step 2: double suffixes, where the rest has a positive measure; -alli is taken first and the result goes round
    /// again.
    /// </summary>
    public static string DoubleSuffix(string word)
    {
        if (Ends(word, "alli") && Measure(word.AsSpan()[..^4]) > 0)
        {
            return DoubleSuffix(word[..^2]);
        }

        foreach (var (ending, replacement) in DoubleSuffixes)
        {
            if (Ends(word, ending))
            {
                return Replace(word, ending, replacement);
            }
        }

        return Ends(word, "logi") && Measure(word.AsSpan()[..^3]) > 0 ? word[..^1] : word;
    }

    /// <summary>Step 3: -icate, -ful, -ness and the like, where the rest has a positive measure.</summary>
    public static string SingleSuffix(string word)
    {
        foreach (var (ending, replacement) in SingleSuffixes)
        {
            if (Ends(word, ending))
            {
                return Replace(word, ending, replacement);
            }
        }

        return word;
    }

    /// <summary>Step 4: a last suffix falls where the rest has a measure above 1; -ion only after s or t.</summary>
    public static string LastSuffix(string word)
    {
        foreach (var ending in LastSuffixes)
        {
            if (!Ends(word, ending))
            {
                continue;
            }

            var stem = word[..^ending.Length];
            return Measure(stem) > 1 && (ending != "ion" || stem[^1] is 's' or 't') ? stem : word;
        }
        return word;
    }

    /// <summary>Step 5a: a final e.</summary>
    public static string FinalE(string word)
    {
        if (!Ends(word, "e"))
        {
            return word;
        }

        var stem = word[..^1];
        var measure = Measure(stem);
        return measure > 1 || measure == 1 && !EndsShort(stem) ? stem : word;
    }

    /// <summary>Step 5b: -ll after a measure above 1.</summary>
    public static string DoubleL(string word) =>
        Ends(word, "ll") && Measure(word.AsSpan()[..^1]) > 1 ? word[..^1] : word;

    static string Replace(string word, string ending, string replacement) =>
        Measure(word.AsSpan()[..^ending.Length]) > 0 ? word[..^ending.Length] + replacement : word;

    static bool Ends(string word, string ending) => word.EndsWith(ending, StringComparison.Ordinal);
}

/// <summary>What Porter's rules ask about a word: its vowels, its measure, its last letters.</summary>
static class PorterWord
{
    /// <summary>Whether the letter is a consonant; y is one at the start and after a vowel.</summary>
    public static bool IsConsonant(ReadOnlySpan<char> word, int at)
    {
        if (word[at] is 'a' or 'e' or 'i' or 'o' or 'u')
        {
            return false;
        }

        return word[at] != 'y' || at == 0 || !IsConsonant(word, at - 1);
    }

    /// <summary>m of <c>[C](VC)^m[V]</c>: how often a consonant follows a vowel.</summary>
    public static int Measure(ReadOnlySpan<char> word)
    {
        var (count, afterVowel) = (0, false);
        var consonant = false;
        for (var i = 0; i < word.Length; i++)
        {
            consonant = word[i] is not ('a' or 'e' or 'i' or 'o' or 'u') && (word[i] != 'y' || i == 0 || !consonant);
            if (consonant && afterVowel)
            {
                count++;
            }

            afterVowel = !consonant;
        }

        return count;
    }

    /// <summary>Whether any letter is a vowel.</summary>
    public static bool HasVowel(ReadOnlySpan<char> word)
    {
        for (var i = 0; i < word.Length; i++)
        {
            if (!IsConsonant(word, i))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether it ends in the same consonant twice.</summary>
    public static bool EndsInDoubleConsonant(ReadOnlySpan<char> word) =>
        word.Length >= 2 && word[^1] == word[^2] && IsConsonant(word, word.Length - 1);

    /// <summary>
    /// Whether it ends consonant, vowel, consonant other than w, x, y; or is a vowel and a consonant (NLTK's addition).
    /// </summary>
    public static bool EndsShort(ReadOnlySpan<char> word) =>
        word.Length switch
        {
            >= 3 => IsConsonant(word, word.Length - 3)
                && !IsConsonant(word, word.Length - 2)
                && IsConsonant(word, word.Length - 1)
                && word[^1] is not ('w' or 'x' or 'y'),
            2 => !IsConsonant(word, 0) && IsConsonant(word, 1),
            _ => false,
        };
}
