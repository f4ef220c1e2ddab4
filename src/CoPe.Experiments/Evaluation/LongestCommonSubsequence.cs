using System.Buffers;

namespace CoPe.Experiments.Evaluation;

/// <summary>Longest common subsequence of two token lists.</summary>
static class LongestCommonSubsequence
{
    /// <summary>Its length, 64 positions at a time.</summary>
    /// <remarks>
    /// Hyyrö, "Bit-parallel LCS-length computation revisited", 2004. Bit i of V is 0 where the row of the usual table
    /// rises at i:
    /// <code>U = V &amp; M[token];  V = (V + U) | (V - U);  LCS = zeros of V</code>
    /// </remarks>
    public static int Length(string[] a, string[] b)
    {
        if (a.Length == 0 || b.Length == 0)
        {
            return 0;
        }

        var words = (a.Length + 63) / 64;
        var masks = PositionMasks(a, words);
        var v = words <= 64 ? stackalloc ulong[words] : new ulong[words];
        v.Fill(ulong.MaxValue);
        foreach (var token in b)
        {
            if (masks.TryGetValue(token, out var mask))
            {
                Step(v, mask);
            }
        }

        var length = 0;
        for (var i = 0; i < a.Length; i++)
        {
            if (Rises(v[i / 64], i))
            {
                length++;
            }
        }

        return length;
    }

    static void Step(Span<ulong> v, ulong[] mask)
    {
        ulong carry = 0;
        for (var w = 0; w < v.Length; w++)
        {
            var u = v[w] & mask[w];
            var sum = v[w] + u;
            var overflow = sum < u ? 1UL : 0;
            sum += carry;
            if (sum < carry)
            {
                overflow = 1;
            }

            carry = overflow;
            v[w] = sum | (v[w] & ~u); // V - U takes bits that V has: no borrow
        }
    }

    static Dictionary<string, ulong[]> PositionMasks(string[] tokens, int words)
    {
        var masks = new Dictionary<string, ulong[]>(tokens.Length, StringComparer.Ordinal);
        for (var i = 0; i < tokens.Length; i++)
        {
            if (!masks.TryGetValue(tokens[i], out var mask))
            {
                mask = new ulong[words];
                masks[tokens[i]] = mask;
            }

            mask[i / 64] |= 1UL << (i % 64);
        }

        return masks;
    }

    /// <summary>
    /// Marks the positions of <paramref name="a"/> that one longest common subsequence takes with each of the
    /// <paramref name="others"/>.
    /// </summary>
    /// <remarks>
    /// Of several, the one that walking back from the ends finds when it leaves out a token of <paramref name="a"/> on
    /// a tie.
    /// </remarks>
    public static void MarkUnion(string[] a, IEnumerable<string[]> others, bool[] marked)
    {
        if (a.Length == 0)
        {
            return;
        }

        var words = (a.Length + 63) / 64;
        var masks = PositionMasks(a, words);
        foreach (var other in others)
        {
            MarkUnion(a, other, masks, words, marked);
        }
    }

    /// <summary>
    /// Keeps V after each token of <paramref name="b"/>, then walks back: a 0 at bit i says that the table is larger
    /// than in the row above.
    /// </summary>
    static void MarkUnion(string[] a, string[] b, Dictionary<string, ulong[]> masks, int words, bool[] marked)
    {
        var rows = ArrayPool<ulong>.Shared.Rent((b.Length + 1) * words);
        rows.AsSpan(0, words).Fill(ulong.MaxValue);
        for (var row = 1; row <= b.Length; row++)
        {
            var v = rows.AsSpan(row * words, words);
            rows.AsSpan((row - 1) * words, words).CopyTo(v);
            if (masks.TryGetValue(b[row - 1], out var mask))
            {
                Step(v, mask);
            }
        }

        var i = a.Length - 1;
        var j = b.Length;
        while (i >= 0 && j > 0)
        {
            if (string.Equals(a[i], b[j - 1], StringComparison.Ordinal))
            {
                marked[i] = true;
                i--;
                j--;
            }
            else if (Rises(rows[j * words + i / 64], i))
            {
                j--;
            }
            else
            {
                i--;
            }
        }

        ArrayPool<ulong>.Shared.Return(rows);
    }

    static bool Rises(ulong v, int i) => (v >> (i % 64) & 1) == 0;
}
