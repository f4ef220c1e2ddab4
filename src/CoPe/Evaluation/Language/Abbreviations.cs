using System.Collections.Frozen;

namespace CoPe.Evaluation.Language;

/// <summary>What the sentence splitter knows of English newspapers: abbreviations, letters that stand as initials, words that open sentences.</summary>
/// <remarks>
/// Chosen by kind, not trained. The kinds are those that newspapers write with a period, because the splitter METEOR is measured with learnt from
/// newspapers: <c>e.g.</c>, <c>i.e.</c>, <c>etc.</c>, <c>et al.</c>, <c>No.</c>, <c>Gov.</c> and <c>Rev.</c> are left out on purpose, for it does not
/// know them (nltk issues 2154, 2376, 2500 and 2543).
/// </remarks>
static class Abbreviations
{
    static readonly FrozenSet<string> All = Set(
        // before and after names: people and their offices
        "mr mrs ms dr prof messrs sen rep reps gen lt col maj adm st jr sr",
        // companies
        "inc corp co cos ltd bros cie s.a s.p.a n.v b.v a.g",
        // months and days
        "jan feb aug sep sept oct nov dec tues wed fri",
        // states, as newspapers shorten them
        "ala ariz calif colo conn fla ga ill kan ky mich minn nev okla ore pa tenn va vt wash wis",
        "d.c n.c n.d n.h n.j n.m n.y r.i s.c w.va l.a",
        // countries and bodies
        "u.s u.s.a u.k u.n u.s.s.r",
        // times, degrees, measures
        "a.m p.m a.d ph.d vs ft yr mg",
        // streets
        "ave");

    static readonly FrozenSet<string> Openers = Set(
        "a about after all also although an and another any are as at because before both but by each even every few for from he her here his how",
        "however i if in is it its last many meanwhile moreover more most my no not now of on one only or other others our over she since so some still",
        "such that the their then there these they this those though to today under until we what when where while who why with yet you your");

    /// <summary>Whether a word, in lower case and without its last period, is an abbreviation.</summary>
    public static bool Contains(string word) => All.Contains(word);

    /// <summary>Whether a word, in lower case, often opens a sentence.</summary>
    public static bool OpensSentences(string word) => Openers.Contains(word);

    /// <summary>Whether a letter with a period is so commonly an initial that no sentence ends there.</summary>
    public static bool EndsNoSentence(char letter) => letter is >= 'b' and <= 'w' and not ('i' or 'o' or 'q' or 'u');

    static FrozenSet<string> Set(params string[] words) => words.SelectMany(line => line.Split(' ')).ToFrozenSet(StringComparer.Ordinal);
}
