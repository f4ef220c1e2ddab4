using System.Text;

namespace CoPe.Fuzz.Mutations;

/// <summary>Pieces of byte arrays put together.</summary>
static class Bytes
{
    public static byte[] Of(string text) => Encoding.UTF8.GetBytes(text);

    /// <summary>Each text as UTF-8.</summary>
    public static byte[][] OfAll(params IEnumerable<string> texts) => [.. texts.Select(Of)];

    public static byte[] Join(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, ReadOnlySpan<byte> third = default)
    {
        var joined = new byte[first.Length + second.Length + third.Length];
        first.CopyTo(joined);
        second.CopyTo(joined.AsSpan(first.Length));
        third.CopyTo(joined.AsSpan(first.Length + second.Length));
        return joined;
    }

    /// <summary>The input with the bytes from <paramref name="start"/> to <paramref name="end"/> replaced.</summary>
    public static byte[] Replace(byte[] input, int start, int end, ReadOnlySpan<byte> with) =>
        Join(input.AsSpan(0, start), with, input.AsSpan(end));

    public static byte[] Repeat(ReadOnlySpan<byte> piece, int count)
    {
        var repeated = new byte[piece.Length * count];
        for (var index = 0; index < count; index++)
        {
            piece.CopyTo(repeated.AsSpan(index * piece.Length));
        }

        return repeated;
    }
}
