using System.Buffers.Binary;

namespace CoPe.Fuzz.Mutations;

/// <summary>Changes of a safetensors file's header, with the length before it made to fit, or not.</summary>
static class SafetensorsMutations
{
    const int PrefixLength = sizeof(ulong);

    static readonly ulong[] WrongLengths = [0, 1, 7, 100, int.MaxValue, uint.MaxValue, long.MaxValue, ulong.MaxValue];

    /// <summary>The input with one change; null where it has no header.</summary>
    public static byte[]? Apply(byte[] input, Choices choices)
    {
        if (
            input.Length < PrefixLength
            || BinaryPrimitives.ReadUInt64LittleEndian(input) is var length
                && length > (ulong)(input.Length - PrefixLength)
        )
        {
            return null;
        }

        var dataStart = PrefixLength + (int)length;
        if (JsonMutations.Apply(input[PrefixLength..dataStart], choices) is not { } header)
        {
            return null;
        }

        var prefix = new byte[PrefixLength];
        var newLength = choices.OneIn(12) ? choices.Pick(WrongLengths) : (ulong)header.Length;
        BinaryPrimitives.WriteUInt64LittleEndian(prefix, newLength);
        return Bytes.Join(prefix, header, input.AsSpan(dataStart));
    }
}
