using System.Globalization;
using System.Text.RegularExpressions;
using CoPe.Experiments.Runs;

namespace CoPe.Cli.Http;

/// <summary>
/// An access token or key. It goes into a header of requests and into no message, though servers repeat it in theirs:
/// whole or cut, as it is or encoded for an address, for JSON or for a page.
/// </summary>
static partial class Secret
{
    /// <summary>Letters in a row that are taken for a piece of the secret.</summary>
    const int PieceLength = 8;

    const string Replacement = "(secret)";

    /// <summary>A secret as a header takes it; null where there is none.</summary>
    /// <param name="text">What was found, with line ends where it comes from a file.</param>
    /// <param name="source">Where, for messages.</param>
    /// <exception cref="RunException">It holds what no secret does. It is not shown.</exception>
    public static string? Clean(string? text, string source)
    {
        var secret = text?.ReplaceLineEndings("").Trim();
        if (string.IsNullOrEmpty(secret))
        {
            return null;
        }

        return secret.All(letter => letter is > ' ' and <= '~')
            ? secret
            : throw new RunException($"the secret from {source} holds characters that none has: set it again");
    }

    /// <summary>
    /// The text without the secret, and without pieces of it that are long enough to be told from words.
    /// </summary>
    public static string Redact(string text, string? secret)
    {
        if (string.IsNullOrEmpty(secret))
        {
            return text;
        }

        if (secret.Length < PieceLength)
        {
            return Regex.Replace(text, $@"(?<!\w){Regex.Escape(secret)}(?!\w)", Replacement);
        }

        var letters = EncodedLetter().Matches(text);
        var plain = string.Concat(letters.Select(Decode));
        var kept = new List<string>();
        var end = 0;
        foreach (var (start, length) in FindPieces(plain, secret))
        {
            kept.Add(text[end..letters[start].Index]);
            kept.Add(Replacement);
            var last = letters[start + length - 1];
            end = last.Index + last.Length;
        }

        return string.Concat(kept) + text[end..];
    }

    static IEnumerable<(int Start, int Length)> FindPieces(string text, string secret)
    {
        for (var start = 0; start + PieceLength <= text.Length; start++)
        {
            var length = FindLongestPiece(text.AsSpan(start), secret);
            if (length > 0)
            {
                yield return (start, length);
                start += length - 1;
            }
        }
    }

    /// <summary>Length of the longest piece of the secret with which the text begins; 0 where there is none.</summary>
    static int FindLongestPiece(ReadOnlySpan<char> text, string secret)
    {
        var longest = 0;
        for (var offset = 0; offset + PieceLength <= secret.Length; offset++)
        {
            var most = Math.Min(text.Length, secret.Length - offset);
            var length = 0;
            while (length < most && IsSame(text[length], secret[offset + length]))
            {
                length++;
            }

            longest = length >= PieceLength ? Math.Max(longest, length) : longest;
        }

        return longest;
    }

    static bool IsSame(char a, char b) => char.ToUpperInvariant(a) == char.ToUpperInvariant(b);

    /// <summary>The letter that a match of <see cref="EncodedLetter"/> stands for.</summary>
    static char Decode(Match letter)
    {
        foreach (var hex in new[] { letter.Groups["hex"], letter.Groups["dec"] })
        {
            if (hex.Success)
            {
                var style = hex.Name == "hex" ? NumberStyles.AllowHexSpecifier : NumberStyles.None;
                return (char)int.Parse(hex.ValueSpan, style, CultureInfo.InvariantCulture);
            }
        }

        return letter.ValueSpan[^1];
    }

    /// <summary>
    /// A letter as it is, or as <c>%2D</c>, <c>\u002d</c>, <c>&amp;#x2d;</c>, <c>&amp;#45;</c>, <c>\/</c>.
    /// </summary>
    [GeneratedRegex(
        @"%(?<hex>[0-9a-fA-F]{2})|\\u(?<hex>[0-9a-fA-F]{4})|&\#x(?<hex>[0-9a-fA-F]{1,4});|&\#(?<dec>[0-9]{1,4});|\\/|.",
        RegexOptions.Singleline
    )]
    private static partial Regex EncodedLetter();
}
