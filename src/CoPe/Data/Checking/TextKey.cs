using System.Security.Cryptography;
using System.Text;

namespace CoPe.Data.Checking;

/// <summary>Stands for a text in comparisons: two texts have the same key where their letters and digits are the same, case, blanks and punctuation aside.</summary>
public static class TextKey
{
    /// <summary>Fewest words that make a text its writer's own; shorter ones ("Thank you") repeat by chance.</summary>
    public const int LeastWords = 4;

    /// <summary>The key: half of a SHA-256 of the words. Null where the text has fewer words than <paramref name="leastWords"/>.</summary>
    public static UInt128? Of(string text, int leastWords = LeastWords)
    {
        ArgumentNullException.ThrowIfNull(text);
        var plain = new StringBuilder(text.Length);
        var words = 0;
        var isInWord = false;
        foreach (var letter in text)
        {
            var isLetter = char.IsLetterOrDigit(letter) || char.IsSurrogate(letter);
            if (isLetter && !isInWord && ++words > 1) plain.Append(' ');
            if (isLetter) plain.Append(char.ToLowerInvariant(letter));
            isInWord = isLetter;
        }

        if (words < leastWords || words == 0) return null;
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(plain.ToString()));
        return new(BitConverter.ToUInt64(hash, 0), BitConverter.ToUInt64(hash, 8));
    }
}
