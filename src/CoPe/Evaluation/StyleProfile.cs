using System.Collections.Frozen;

namespace CoPe.Evaluation;

/// <summary>Counts of what makes the manner of some texts.</summary>
sealed class StyleProfile
{
    const string Marks = ".,;:!?-\u2013\u2014\u2026()[]\"'\u201C\u201D\u2018\u2019/*#&%@$+=<>|~^_`{}\\";

    static readonly FrozenDictionary<string, int> FunctionWords = (
        "a about above after again all also although always am an and any are as at be because been before being below between both but by can "
        + "cannot could did do does down during each either else even ever every few for from further had has have having he hence her here hers "
        + "herself him himself his how however i if in indeed instead into is it its itself just least less like may me might mine more moreover "
        + "most much must my myself neither never no nor not now of off on once one only onto or other our ours out over own perhaps quite rather "
        + "really same shall she should since so some still such than that the their theirs them then there therefore these they this those though "
        + "through thus to too toward under until up upon us very was we well were what when where whereas whether which while who whom whose why "
        + "will with within without would yet you your yours")
        .Split(' ').Select((word, place) => KeyValuePair.Create(word, place)).ToFrozenDictionary(StringComparer.Ordinal);

    readonly int[] functionWords = new int[FunctionWords.Count + 1];     // the last: all other words
    readonly int[] marks = new int[Marks.Length + 2];                    // then: emoji and other symbols, words
    readonly int[] cases = new int[4];                                   // lower, with a capital, in capitals, without case
    int words;

    /// <summary>How many texts were counted.</summary>
    public int Texts { get; private set; }

    public static StyleProfile Of(IEnumerable<string> texts)
    {
        var profile = new StyleProfile();
        foreach (var text in texts) profile.Count(text);
        return profile;
    }

    public StyleDistance DistanceTo(StyleProfile other) => new(
        TotalVariation(functionWords, other.functionWords), TotalVariation(marks, other.marks),
        Gap((double)words / Math.Max(1, Texts), (double)other.words / Math.Max(1, other.Texts)), TotalVariation(cases, other.cases));

    void Count(string text)
    {
        Texts++;
        foreach (var c in text)
            if (char.IsLetterOrDigit(c) || c == ' ') continue;
            else if (Marks.IndexOf(c, StringComparison.Ordinal) is var mark and >= 0) marks[mark]++;
            else if (char.IsHighSurrogate(c) || char.IsSymbol(c)) marks[^2]++;
        foreach (var word in text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)) CountCase(word);
        foreach (var word in TextWords.Of(text))
        {
            words++;
            marks[^1]++;
            functionWords[FunctionWords.GetValueOrDefault(word, FunctionWords.Count)]++;
        }
    }

    void CountCase(string word)
    {
        int upper = 0, lower = 0;
        foreach (var c in word)
            if (char.IsUpper(c)) upper++;
            else if (char.IsLower(c)) lower++;
        var kind = upper + lower == 0 ? 3 : upper == 0 ? 0 : lower == 0 && upper > 1 ? 2 : 1;
        cases[kind]++;
    }

    static double TotalVariation(int[] one, int[] other)
    {
        double all = one.Sum(), others = other.Sum();
        if (all == 0 || others == 0) return all == others ? 0 : 1;
        var sum = 0.0;
        for (var i = 0; i < one.Length; i++) sum += Math.Abs(one[i] / all - other[i] / others);
        return sum / 2;
    }

    static double Gap(double one, double other) => one == other ? 0 : 1 - Math.Min(one, other) / Math.Max(one, other);
}
