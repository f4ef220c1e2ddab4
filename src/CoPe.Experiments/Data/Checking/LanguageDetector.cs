namespace CoPe.Experiments.Data.Checking;

/// <summary>
/// Guesses the language of a text by its script, and for Latin letters by its stop words. Coarse on purpose: it shows
/// what does not belong into the data.
/// </summary>
static class LanguageDetector
{
    /// <summary>The language of a text that shows none.</summary>
    public const string Unknown = "not told";

    internal const int MaxCharacters = 600;
    const int MinHits = 2;

    static readonly (string Language, HashSet<string> Words)[] Latin =
    [
        (
            "English",
            Words(
                "the of and to in is that for with are was on it this as by we from be an at you your how why what "
                    + "not will have has his her"
            )
        ),
        (
            "German",
            Words(
                "der die das und ist nicht ein eine zu mit von den dem im auf für des sich auch werden wird wie bei "
                    + "oder aus ich wir"
            )
        ),
        (
            "French",
            Words(
                "le la les des et est une un du que dans pour pas qui sur avec au ce sont nous vous par plus il "
                    + "elle aux"
            )
        ),
        ("Spanish", Words("el la los las de que es en un una por con para del se no como más su al lo pero sus este")),
        (
            "Italian",
            Words("il lo la gli di che un una per con non del della sono nel alla le si più come anche dei delle")
        ),
        ("Portuguese", Words("os as de que um uma para com não do da em por mais dos das no na se ao como")),
        (
            "Dutch",
            Words("de het een en van is dat niet op te zijn voor met die aan er ook als bij maar om wij naar dit")
        ),
        ("Polish", Words("na nie do się jest że to jak po za od dla przez czy są był może jego który")),
        ("Swedish", Words("och att det som en på är av för med till den inte om ett har de jag var från vi kan")),
        ("Turkish", Words("ve bir bu da de için ile çok daha olarak ne gibi var ama en kadar değil olan")),
    ];

    static readonly (string Language, char From, char To)[] Scripts =
    [
        ("Japanese", '\u3040', '\u30ff'),
        ("Korean", '\uac00', '\ud7af'),
        ("Chinese", '\u4e00', '\u9fff'),
        ("Russian or another in Cyrillic", '\u0400', '\u04ff'),
        ("Greek", '\u0370', '\u03ff'),
        ("Hebrew", '\u0590', '\u05ff'),
        ("Arabic", '\u0600', '\u06ff'),
        ("Hindi or another in Devanagari", '\u0900', '\u097f'),
        ("Thai", '\u0e00', '\u0e7f'),
    ];

    /// <summary>The language in English words, or <see cref="Unknown"/>.</summary>
    public static string Detect(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var head = text.Length <= MaxCharacters ? text : text[..MaxCharacters];
        var letters = head.Count(char.IsLetter);
        foreach (var (language, from, to) in Scripts)
        {
            var lettersOfScript = head.Count(letter => letter >= from && letter <= to);
            if (lettersOfScript * 4 > letters && letters > 0)
            {
                return language;
            }
        }

        var words = head.ToLowerInvariant()
            .Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)
            .Select(word => word.Trim('.', ',', ';', ':', '!', '?', '"', '(', ')'))
            .ToList();
        var best = Latin
            .Select(known => (known.Language, Hits: words.Count(known.Words.Contains)))
            .OrderByDescending(known => known.Hits)
            .Take(2)
            .ToList();
        var isClear = best[0].Hits >= MinHits && best[0].Hits > best[1].Hits;
        return isClear ? best[0].Language : Unknown;
    }

    static HashSet<string> Words(string list) => [.. list.Split(' ')];
}
