using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace CoPe.Chat.Jinja;

/// <summary>
/// Upper, lower and title case as Python has them: Unicode's full mappings, which may make several letters of one,
/// where .NET has those of one letter to one.
/// </summary>
static class PythonCase
{
    const char CombiningDotAbove = '\u0307';
    const char DotlessI = 'ı';

    /// <summary>Letters whose upper case is several: the letter, then its upper case.</summary>
    static readonly FrozenDictionary<string, string> Upper = Read(
        "ßSS ŉ\u02BCN ǰJ\u030C \u0390\u0399\u0308\u0301 \u03B0\u03A5\u0308\u0301 \u0587\u0535\u0552 "
            + "\u1E96H\u0331 \u1E97T\u0308 \u1E98W\u030A \u1E99Y\u030A \u1E9AAʾ \u1F50\u03A5\u0313 "
            + "\u1F52\u03A5\u0313\u0300 \u1F54\u03A5\u0313\u0301 \u1F56\u03A5\u0313\u0342 \u1F80\u1F08\u0399 "
            + "\u1F81\u1F09\u0399 \u1F82\u1F0A\u0399 \u1F83\u1F0B\u0399 \u1F84\u1F0C\u0399 \u1F85\u1F0D\u0399 "
            + "\u1F86\u1F0E\u0399 \u1F87\u1F0F\u0399 \u1F88\u1F08\u0399 \u1F89\u1F09\u0399 \u1F8A\u1F0A\u0399 "
            + "\u1F8B\u1F0B\u0399 \u1F8C\u1F0C\u0399 \u1F8D\u1F0D\u0399 \u1F8E\u1F0E\u0399 \u1F8F\u1F0F\u0399 "
            + "\u1F90\u1F28\u0399 \u1F91\u1F29\u0399 \u1F92\u1F2A\u0399 \u1F93\u1F2B\u0399 \u1F94\u1F2C\u0399 "
            + "\u1F95\u1F2D\u0399 \u1F96\u1F2E\u0399 \u1F97\u1F2F\u0399 \u1F98\u1F28\u0399 \u1F99\u1F29\u0399 "
            + "\u1F9A\u1F2A\u0399 \u1F9B\u1F2B\u0399 \u1F9C\u1F2C\u0399 \u1F9D\u1F2D\u0399 \u1F9E\u1F2E\u0399 "
            + "\u1F9F\u1F2F\u0399 \u1FA0\u1F68\u0399 \u1FA1\u1F69\u0399 \u1FA2\u1F6A\u0399 \u1FA3\u1F6B\u0399 "
            + "\u1FA4\u1F6C\u0399 \u1FA5\u1F6D\u0399 \u1FA6\u1F6E\u0399 \u1FA7\u1F6F\u0399 \u1FA8\u1F68\u0399 "
            + "\u1FA9\u1F69\u0399 \u1FAA\u1F6A\u0399 \u1FAB\u1F6B\u0399 \u1FAC\u1F6C\u0399 \u1FAD\u1F6D\u0399 "
            + "\u1FAE\u1F6E\u0399 \u1FAF\u1F6F\u0399 \u1FB2\u1FBA\u0399 \u1FB3\u0391\u0399 \u1FB4\u0386\u0399 "
            + "\u1FB6\u0391\u0342 \u1FB7\u0391\u0342\u0399 \u1FBC\u0391\u0399 \u1FC2\u1FCA\u0399 "
            + "\u1FC3\u0397\u0399 \u1FC4\u0389\u0399 \u1FC6\u0397\u0342 \u1FC7\u0397\u0342\u0399 "
            + "\u1FCC\u0397\u0399 \u1FD2\u0399\u0308\u0300 \u1FD3\u0399\u0308\u0301 \u1FD6\u0399\u0342 "
            + "\u1FD7\u0399\u0308\u0342 \u1FE2\u03A5\u0308\u0300 \u1FE3\u03A5\u0308\u0301 \u1FE4\u03A1\u0313 "
            + "\u1FE6\u03A5\u0342 \u1FE7\u03A5\u0308\u0342 \u1FF2\u1FFA\u0399 \u1FF3\u03A9\u0399 "
            + "\u1FF4\u038F\u0399 \u1FF6\u03A9\u0342 \u1FF7\u03A9\u0342\u0399 \u1FFC\u03A9\u0399 \uFB00FF "
            + "\uFB01FI \uFB02FL \uFB03FFI \uFB04FFL \uFB05ST \uFB06ST \uFB13\u0544\u0546 \uFB14\u0544\u0535 "
            + "\uFB15\u0544\u053B \uFB16\u054E\u0546 \uFB17\u0544\u053D"
    );

    /// <summary>Letters whose title case is not their upper case.</summary>
    static readonly FrozenDictionary<string, string> Title = Read(
        "ßSs Ǆǅ ǅǅ ǆǅ Ǉǈ ǈǈ ǉǈ Ǌǋ ǋǋ ǌǋ Ǳǲ ǲǲ ǳǲ \u0587\u0535\u0582 \u1F80\u1F88 \u1F81\u1F89 "
            + "\u1F82\u1F8A \u1F83\u1F8B \u1F84\u1F8C \u1F85\u1F8D \u1F86\u1F8E \u1F87\u1F8F \u1F88\u1F88 "
            + "\u1F89\u1F89 \u1F8A\u1F8A \u1F8B\u1F8B \u1F8C\u1F8C \u1F8D\u1F8D \u1F8E\u1F8E \u1F8F\u1F8F "
            + "\u1F90\u1F98 \u1F91\u1F99 \u1F92\u1F9A \u1F93\u1F9B \u1F94\u1F9C \u1F95\u1F9D \u1F96\u1F9E "
            + "\u1F97\u1F9F \u1F98\u1F98 \u1F99\u1F99 \u1F9A\u1F9A \u1F9B\u1F9B \u1F9C\u1F9C \u1F9D\u1F9D "
            + "\u1F9E\u1F9E \u1F9F\u1F9F \u1FA0\u1FA8 \u1FA1\u1FA9 \u1FA2\u1FAA \u1FA3\u1FAB \u1FA4\u1FAC "
            + "\u1FA5\u1FAD \u1FA6\u1FAE \u1FA7\u1FAF \u1FA8\u1FA8 \u1FA9\u1FA9 \u1FAA\u1FAA \u1FAB\u1FAB "
            + "\u1FAC\u1FAC \u1FAD\u1FAD \u1FAE\u1FAE \u1FAF\u1FAF \u1FB2\u1FBA\u0345 \u1FB3\u1FBC "
            + "\u1FB4\u0386\u0345 \u1FB7\u0391\u0342\u0345 \u1FBC\u1FBC \u1FC2\u1FCA\u0345 \u1FC3\u1FCC "
            + "\u1FC4\u0389\u0345 \u1FC7\u0397\u0342\u0345 \u1FCC\u1FCC \u1FF2\u1FFA\u0345 \u1FF3\u1FFC "
            + "\u1FF4\u038F\u0345 \u1FF7\u03A9\u0342\u0345 \u1FFC\u1FFC \uFB00Ff \uFB01Fi \uFB02Fl \uFB03Ffi "
            + "\uFB04Ffl \uFB05St \uFB06St \uFB13\u0544\u0576 \uFB14\u0544\u0565 \uFB15\u0544\u056B "
            + "\uFB16\u054E\u0576 \uFB17\u0544\u056D"
    );

    public static string ToUpper(string text)
    {
        var mapped = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            var letter = rune.ToString();
            mapped.Append(Upper.GetValueOrDefault(letter) ?? ToUpper(rune));
        }

        return mapped.ToString();
    }

    public static string ToLower(string text)
    {
        var mapped = new StringBuilder(text.Length);
        var runes = text.EnumerateRunes().ToArray();
        for (var i = 0; i < runes.Length; i++)
        {
            mapped.Append(ToLower(runes, i));
        }

        return mapped.ToString();
    }

    /// <summary>
    /// <c>str.casefold</c>: the lower case of the upper case, in which letters are the same that are so without case.
    /// </summary>
    public static string Fold(string text)
    {
        var folded = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            var upper = ToUpper(rune.ToString());
            folded.Append(
                rune.Value switch
                {
                    DotlessI => "ı",
                    'ẞ' => "ss",
                    'İ' => $"i{CombiningDotAbove}",
                    _ when IsCherokee(rune) => upper,
                    _ => string.Concat(upper.EnumerateRunes().Select(Rune.ToLowerInvariant)),
                }
            );
        }

        return folded.ToString();
    }

    /// <summary>The first letter in title case, the others in lower case.</summary>
    public static string Capitalize(string text)
    {
        if (text.Length == 0)
        {
            return text;
        }

        var first = text.EnumerateRunes().First();
        return ToTitle(first) + ToLower(text)[ToLower(first.ToString()).Length..];
    }

    /// <summary><c>str.title</c>: each run of letters capitalized.</summary>
    public static string TitleWords(string text)
    {
        var titled = new StringBuilder(text.Length);
        var runes = text.EnumerateRunes().ToArray();
        var isInWord = false;
        for (var i = 0; i < runes.Length; i++)
        {
            titled.Append(isInWord ? ToLower(runes, i) : ToTitle(runes[i]));
            isInWord = IsCased(runes[i]);
        }

        return titled.ToString();
    }

    public static string SwapCase(string text)
    {
        var swapped = new StringBuilder(text.Length);
        var runes = text.EnumerateRunes().ToArray();
        for (var i = 0; i < runes.Length; i++)
        {
            swapped.Append(
                IsUpper(runes[i]) ? ToLower(runes, i)
                : IsLower(runes[i]) ? ToUpper(runes[i].ToString())
                : runes[i].ToString()
            );
        }

        return swapped.ToString();
    }

    public static bool IsUpper(string text) =>
        text.EnumerateRunes().Any(IsUpper) && !text.EnumerateRunes().Any(rune => IsLower(rune) || IsTitleCase(rune));

    public static bool IsLower(string text) =>
        text.EnumerateRunes().Any(IsLower) && !text.EnumerateRunes().Any(rune => IsUpper(rune) || IsTitleCase(rune));

    /// <summary>Each run of letters begins with a capital and has no other.</summary>
    public static bool IsTitle(string text)
    {
        var hasWord = false;
        var isInWord = false;
        foreach (var rune in text.EnumerateRunes())
        {
            if (IsCased(rune) && isInWord != IsLower(rune))
            {
                return false;
            }

            isInWord = IsCased(rune);
            hasWord |= isInWord;
        }

        return hasWord;
    }

    static string ToLower(Rune[] runes, int index) =>
        runes[index].Value switch
        {
            'İ' => $"i{CombiningDotAbove}",
            'Σ' => IsFinal(runes, index) ? "ς" : "σ",
            _ => Rune.ToLowerInvariant(runes[index]).ToString(),
        };

    static string ToTitle(Rune rune)
    {
        var letter = rune.ToString();
        if (Title.TryGetValue(letter, out var title))
        {
            return title;
        }

        return IsGeorgian(rune) ? letter : Upper.GetValueOrDefault(letter) ?? ToUpper(rune);
    }

    static string ToUpper(Rune rune) => rune.Value == DotlessI ? "I" : Rune.ToUpperInvariant(rune).ToString();

    /// <summary>Folds to capitals, for those came first.</summary>
    static bool IsCherokee(Rune rune) => rune.Value is (>= 0x13A0 and <= 0x13FD) or (>= 0xAB70 and <= 0xABBF);

    /// <summary>Mkhedruli has capitals for whole words alone, none to begin one.</summary>
    static bool IsGeorgian(Rune rune) => rune.Value is >= 0x10D0 and <= 0x10FF;

    /// <summary>A sigma that ends a word: after a letter with case, before none.</summary>
    static bool IsFinal(Rune[] runes, int index)
    {
        var before = index - 1;
        while (before >= 0 && IsIgnored(runes[before]))
        {
            before--;
        }

        var after = index + 1;
        while (after < runes.Length && IsIgnored(runes[after]))
        {
            after++;
        }

        return before >= 0 && IsCased(runes[before]) && (after == runes.Length || !IsCased(runes[after]));
    }

    static bool IsIgnored(Rune rune) =>
        rune.Value is '\'' or '.' or ':' or '^' or '`' or '\u2019'
        || Rune.GetUnicodeCategory(rune)
            is UnicodeCategory.NonSpacingMark
                or UnicodeCategory.EnclosingMark
                or UnicodeCategory.Format
                or UnicodeCategory.ModifierLetter
                or UnicodeCategory.ModifierSymbol;

    static bool IsCased(Rune rune) => IsUpper(rune) || IsLower(rune) || IsTitleCase(rune);

    static bool IsTitleCase(Rune rune) => Rune.GetUnicodeCategory(rune) == UnicodeCategory.TitlecaseLetter;

    /// <summary>A capital, or what Unicode has as one besides: Roman numerals, circled letters.</summary>
    static bool IsUpper(Rune rune) =>
        Rune.IsUpper(rune)
        || rune.Value
            is (>= 0x2160 and <= 0x216F)
                or (>= 0x24B6 and <= 0x24CF)
                or (>= 0x1F130 and <= 0x1F149)
                or (>= 0x1F150 and <= 0x1F169)
                or (>= 0x1F170 and <= 0x1F189);

    /// <summary>A small letter, or what Unicode has as one besides: ordinals, modifiers, Roman numerals.</summary>
    static bool IsLower(Rune rune) => Rune.IsLower(rune) || IsOtherLower(rune.Value);

    static bool IsOtherLower(int letter) =>
        letter
            is 0xAA
                or 0xBA
                or (>= 0x2B0 and <= 0x2B8)
                or (>= 0x2C0 and <= 0x2C1)
                or (>= 0x2E0 and <= 0x2E4)
                or 0x345
                or 0x37A
                or (>= 0x1D2C and <= 0x1D6A)
                or 0x1D78
                or (>= 0x1D9B and <= 0x1DBF)
                or 0x2071
                or 0x207F
                or (>= 0x2090 and <= 0x209C)
                or (>= 0x2170 and <= 0x217F)
                or (>= 0x24D0 and <= 0x24E9)
                or (>= 0x2C7C and <= 0x2C7D)
                or (>= 0xA69C and <= 0xA69D)
                or 0xA770
                or (>= 0xA7F8 and <= 0xA7F9)
                or (>= 0xAB5C and <= 0xAB5F)
                or 0x10780
                or (>= 0x10783 and <= 0x10785)
                or (>= 0x10787 and <= 0x107B0)
                or (>= 0x107B2 and <= 0x107BA);

    static FrozenDictionary<string, string> Read(string pairs) =>
        pairs.Split(' ').ToFrozenDictionary(pair => pair[..1], pair => pair[1..]);
}
