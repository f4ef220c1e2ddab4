using System.Buffers;

namespace CoPe.Evaluation;

/// <summary>Longest common subsequence of two token lists.</summary>
static class CommonSubsequence
{
    /// <summary>Its length, 64 positions at a time.</summary>
    /// <remarks>
    /// Hyyrö, "Bit-parallel LCS-length computation revisited", 2004. Bit i of V is 0 where the row of the usual table rises at i:
    /// <code>U = V &amp; M[token];  V = (V + U) | (V - U);  LCS = zeros of V</code>
    /// </remarks>
    public static int Length(string[] a, string[] b)
    {
        if (a.Length == 0 || b.Length == 0) return 0;
        var words = (a.Length + 63) / 64;
        var places = Places(a, words);
        Span<ulong> v = words <= 64 ? stackalloc ulong[words] : new ulong[words];
        v.Fill(ulong.MaxValue);
        foreach (var token in b)
            if (places.TryGetValue(token, out var mask)) Step(v, mask);
        var length = 0;
        for (var i = 0; i < a.Length; i++)
            if ((v[i / 64] >> (i % 64) & 1) == 0) length++;
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
            if (sum < carry) overflow = 1;
            carry = overflow;
            v[w] = sum | (v[w] & ~u);                                // V - U takes bits that V has: no borrow
        }
    }

    static Dictionary<string, ulong[]> Places(string[] tokens, int words)
    {
        var places = new Dictionary<string, ulong[]>(tokens.Length, StringComparer.Ordinal);
        for (var i = 0; i < tokens.Length; i++)
        {
            if (!places.TryGetValue(tokens[i], out var mask)) places[tokens[i]] = mask = new ulong[words];
            mask[i / 64] |= 1UL << (i % 64);
        }
        return places;
    }

    /// <summary>Marks the places of <paramref name="a"/> that one longest common subsequence takes.</summary>
    /// <remarks>Of several, the one that walking back from the ends finds when it leaves out a token of <paramref name="a"/> on a tie.</remarks>
    public static void Mark(string[] a, string[] b, bool[] marked)
    {
        var width = b.Length + 1;
        var table = ArrayPool<int>.Shared.Rent((a.Length + 1) * width);
        Fill(table, a, b);
        for (int i = a.Length, j = b.Length; i > 0 && j > 0;)
        {
            if (string.Equals(a[i - 1], b[j - 1], StringComparison.Ordinal))
            {
                marked[i - 1] = true;
                i--;
                j--;
            }
            else if (table[i * width + j - 1] > table[(i - 1) * width + j]) j--;
            else i--;
        }
        ArrayPool<int>.Shared.Return(table);
    }

    static void Fill(int[] table, string[] a, string[] b)
    {
        var width = b.Length + 1;
        Array.Clear(table, 0, width);
        for (var i = 1; i <= a.Length; i++)
        {
            table[i * width] = 0;
            for (var j = 1; j <= b.Length; j++)
                table[i * width + j] = string.Equals(a[i - 1], b[j - 1], StringComparison.Ordinal)
                    ? table[(i - 1) * width + j - 1] + 1
                    : Math.Max(table[i * width + j - 1], table[(i - 1) * width + j]);
        }
    }
}
