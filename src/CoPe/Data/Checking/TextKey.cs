using System.Security.Cryptography;
using System.Text;

namespace CoPe.Data.Checking;

/// <summary>Stands for a text in comparisons: two texts have the same key where their letters and digits are the same, case, blanks and punctuation aside.</summary>
public static class TextKey
{
    /// <summary>Fewest words that make a text its writer's own; shorter ones ("Thank you") repeat by chance.</summary>
    public const int LeastWords = 4;

    const int LettersAtOnce = 512;

    /// <summary>The key: half of a SHA-256 of the words. Null where the text has fewer words than <paramref name="leastWords"/>.</summary>
    public static UInt128? Of(string text, int leastWords = LeastWords)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Of([text], leastWords);
    }

    /// <summary>The key of texts one after the other.</summary>
    public static UInt128? Of(IEnumerable<string> texts, int leastWords = LeastWords)
    {
        ArgumentNullException.ThrowIfNull(texts);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var encoder = Encoding.UTF8.GetEncoder();
        Span<char> plain = stackalloc char[LettersAtOnce + 2];
        Span<byte> bytes = stackalloc byte[Encoding.UTF8.GetMaxByteCount(LettersAtOnce + 2)];
        var (held, words) = (0, 0);
        foreach (var text in texts)
        {
            var isInWord = false;
            foreach (var letter in text)
            {
                var isLetter = char.IsLetterOrDigit(letter) || char.IsSurrogate(letter);
                if (isLetter && !isInWord && ++words > 1) plain[held++] = ' ';
                if (isLetter) plain[held++] = char.ToLowerInvariant(letter);
                isInWord = isLetter;
                if (held < LettersAtOnce) continue;
                hash.AppendData(bytes[..encoder.GetBytes(plain[..held], bytes, flush: false)]);
                held = 0;
            }
        }

        hash.AppendData(bytes[..encoder.GetBytes(plain[..held], bytes, flush: true)]);
        if (words < leastWords || words == 0) return null;
        Span<byte> half = stackalloc byte[SHA256.HashSizeInBytes];
        hash.GetHashAndReset(half);
        return new(BitConverter.ToUInt64(half), BitConverter.ToUInt64(half[8..]));
    }
}
