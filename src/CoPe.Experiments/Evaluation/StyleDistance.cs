using System.Collections.Frozen;

namespace CoPe.Experiments.Evaluation;

/// <summary>
/// How far a text's style is from that of a user's own texts, each part and the whole between 0 (alike) and 1.
/// </summary>
/// <remarks>
/// Function words, punctuation and case are shares that sum to 1, compared by total variation.
/// <code>TV(p, q) = 1/2 sum |p_i - q_i|</code>
/// Content does not count: a text on another subject in the user's style is near. Function words are English.
/// </remarks>
/// <param name="FunctionWords">Between the shares of each function word and of all other words.</param>
/// <param name="Punctuation">Between the shares of each mark among words and marks.</param>
/// <param name="Length">Of the word count from the user's mean. <code>1 - min / max</code></param>
/// <param name="Case">Between the shares of words in lower case, with a capital, in capitals, and without case.</param>
public sealed record StyleDistance(double FunctionWords, double Punctuation, double Length, double Case)
{
    /// <summary>The mean of the four parts.</summary>
    public double Total => (FunctionWords + Punctuation + Length + Case) / 4;

    /// <summary>The distance of a text from a user's own.</summary>
    /// <param name="text">The text to score.</param>
    /// <param name="own">The user's texts, one or more.</param>
    /// <exception cref="ArgumentException">The user has no text.</exception>
    public static StyleDistance Between(string text, IEnumerable<string> own)
    {
        var profile = StyleProfile.Compute(own);
        if (profile.TextCount == 0)
        {
            throw new ArgumentException("A style needs at least one text of the user; found none.", nameof(own));
        }

        return profile.DistanceTo(StyleProfile.Compute([text]));
    }
}

/// <summary>Counts of what makes the style of some texts.</summary>
sealed class StyleProfile
{
    const string Marks = ".,;:!?-\u2013\u2014\u2026()[]\"'\u201C\u201D\u2018\u2019/*#&%@$+=<>|~^_`{}\\";

    const int LowerCase = 0;
    const int Capitalized = 1;
    const int UpperCase = 2;
    const int NoCase = 3;

    static readonly FrozenDictionary<string, int> FunctionWords = (
        "a about above after again all also although always am an and any are as at be because been "
        + "before being below between both but by can cannot could did do does down during each either "
        + "else even ever every few for from further had has have having he hence her here hers herself "
        + "him himself his how however i if in indeed instead into is it its itself just least less like "
        + "may me might mine more moreover most much must my myself neither never no nor not now of off on "
        + "once one only onto or other our ours out over own perhaps quite rather really same shall she "
        + "should since so some still such than that the their theirs them then there therefore these they "
        + "this those though through thus to too toward under until up upon us very was we well were what "
        + "when where whereas whether which while who whom whose why will with within without would yet "
        + "you your yours"
    )
        .Split(' ')
        .Select((word, place) => KeyValuePair.Create(word, place))
        .ToFrozenDictionary(StringComparer.Ordinal);

    readonly int[] _functionWords = new int[FunctionWords.Count + 1]; // the last: all other words
    readonly int[] _marks = new int[Marks.Length + 2]; // then: emoji and other symbols, words
    readonly int[] _cases = new int[4]; // of words, by the constants above
    int _words;

    /// <summary>How many texts were counted.</summary>
    public int TextCount { get; private set; }

    double MeanWords => (double)_words / Math.Max(1, TextCount);

    public static StyleProfile Compute(
        IEnumerable<string> texts,
        WordTokenizerKind tokenizer = WordTokenizerKind.RougeScore
    )
    {
        var profile = new StyleProfile();
        foreach (var text in texts)
        {
            profile.Count(text, tokenizer);
        }

        return profile;
    }

    public StyleDistance DistanceTo(StyleProfile other) =>
        new(
            TotalVariation(_functionWords, other._functionWords),
            TotalVariation(_marks, other._marks),
            RelativeGap(MeanWords, other.MeanWords),
            TotalVariation(_cases, other._cases)
        );

    void Count(string text, WordTokenizerKind tokenizer)
    {
        TextCount++;
        foreach (var c in text)
        {
            if (char.IsLetterOrDigit(c) || c == ' ')
            {
                continue;
            }

            if (Marks.IndexOf(c, StringComparison.Ordinal) is var mark and >= 0)
            {
                _marks[mark]++;
            }
            else if (char.IsHighSurrogate(c) || char.IsSymbol(c))
            {
                _marks[^2]++;
            }
        }

        foreach (var word in text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
        {
            CountCase(word);
        }

        foreach (var word in TextWords.Split(text, tokenizer))
        {
            _words++;
            _marks[^1]++;
            _functionWords[FunctionWords.GetValueOrDefault(word, FunctionWords.Count)]++;
        }
    }

    void CountCase(string word)
    {
        var upper = word.Count(char.IsUpper);
        var lower = word.Count(char.IsLower);
        var kind = (upper, lower) switch
        {
            (0, 0) => NoCase,
            (0, _) => LowerCase,
            ( > 1, 0) => UpperCase,
            _ => Capitalized,
        };
        _cases[kind]++;
    }

    static double TotalVariation(int[] one, int[] other)
    {
        double oneTotal = one.Sum();
        double otherTotal = other.Sum();
        if (oneTotal == 0 || otherTotal == 0)
        {
            return oneTotal == otherTotal ? 0 : 1;
        }

        var sum = 0.0;
        for (var i = 0; i < one.Length; i++)
        {
            sum += Math.Abs(one[i] / oneTotal - other[i] / otherTotal);
        }

        return sum / 2;
    }

    static double RelativeGap(double one, double other) =>
        one == other ? 0 : 1 - Math.Min(one, other) / Math.Max(one, other);
}
