namespace CoPe.Evaluation.Language;

/// <summary>What Porter's rules ask about a word: its vowels, its measure, its last letters.</summary>
static class PorterWord
{
    /// <summary>Whether the letter is a consonant; y is one at the start and after a vowel.</summary>
    public static bool IsConsonant(ReadOnlySpan<char> word, int at)
    {
        if (word[at] is 'a' or 'e' or 'i' or 'o' or 'u') return false;
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
            if (consonant && afterVowel) count++;
            afterVowel = !consonant;
        }
        return count;
    }

    /// <summary>Whether any letter is a vowel.</summary>
    public static bool HasVowel(ReadOnlySpan<char> word)
    {
        for (var i = 0; i < word.Length; i++)
            if (!IsConsonant(word, i)) return true;
        return false;
    }

    /// <summary>Whether it ends in the same consonant twice.</summary>
    public static bool EndsInDoubleConsonant(ReadOnlySpan<char> word) =>
        word.Length >= 2 && word[^1] == word[^2] && IsConsonant(word, word.Length - 1);

    /// <summary>Whether it ends consonant, vowel, consonant other than w, x, y; or is a vowel and a consonant (NLTK's addition).</summary>
    public static bool EndsShort(ReadOnlySpan<char> word) => word.Length switch
    {
        >= 3 => IsConsonant(word, word.Length - 3) && !IsConsonant(word, word.Length - 2) && IsConsonant(word, word.Length - 1)
            && word[^1] is not ('w' or 'x' or 'y'),
        2 => !IsConsonant(word, 0) && IsConsonant(word, 1),
        _ => false,
    };
}
