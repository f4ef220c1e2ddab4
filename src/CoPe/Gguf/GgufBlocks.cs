using System.Buffers.Binary;

namespace CoPe.Gguf;

/// <summary>
/// The values of a GGUF file's blocks (ggml's formats). Pure; numbers are little-endian, d and m half precision.
/// </summary>
/// <remarks>
/// <code>
/// type  bytes/weights  layout                                           value
/// Q8_0   34 /  32      d, 32 int8                                       d q
/// Q4_0   18 /  32      d, 16 bytes: byte j holds q[j] low, q[j+16] high d (q - 8)
/// Q4_1   20 /  32      d, m, 16 bytes as Q4_0's                         d q + m
/// Q5_0   22 /  32      d, 4 bytes of fifth bits: bit j is of q[j], 16     d (q - 16)
/// Q5_1   24 /  32      d, m, the same                                   d q + m
/// Q4_K  144 / 256      d, dmin, 12 bytes: 8 scales, 8 mins of 6 bits;   d sc[g] q - dmin mn[g],
///                      128 bytes: byte 32 c + l holds                   g = index / 32
///                      q[64 c + l] low, q[64 c + 32 + l] high
/// Q5_K  176 / 256      d, dmin, 12 bytes as Q4_K's; 32 bytes of fifth   the same
///                      bits: bit g of byte l is of q[32 g + l]; 128
/// Q6_K  210 / 256      128 bytes of low 4 bits, 64 of high 2, 16 int8   d sc[index / 16] (q - 32)
///                      scales, d
/// </code>
/// </remarks>
static class GgufBlocks
{
    /// <summary>Weights with a scale of their own in the types of 4 and 5 bits.</summary>
    public const int GroupSize = 32;

    /// <summary>Where a K block's scales begin, and its codes in Q4_K.</summary>
    const int ScalesAt = 4;
    const int CodesAt = ScalesAt + 12;

    /// <summary>Values of whole blocks of any type.</summary>
    /// <param name="type">The type.</param>
    /// <param name="blocks">The blocks.</param>
    /// <param name="weights">Where as many weights as they hold go.</param>
    public static void Dequantize(GgufType type, ReadOnlySpan<byte> blocks, Span<float> weights)
    {
        var count = blocks.Length / type.BlockBytes;
        for (var i = 0; i < count; i++)
        {
            var block = blocks.Slice(i * type.BlockBytes, type.BlockBytes);
            DequantizeBlock(type, block, weights.Slice(i * type.BlockSize, type.BlockSize));
        }
    }

    static void DequantizeBlock(GgufType type, ReadOnlySpan<byte> block, Span<float> weights)
    {
        if (type.HasFourBitCodes)
        {
            DequantizeGroups(type, block, weights);
            return;
        }

        switch (type.Name)
        {
            case "F32":
                weights[0] = BinaryPrimitives.ReadSingleLittleEndian(block);
                break;
            case "F16":
                weights[0] = ReadHalf(block);
                break;
            case "BF16":
                weights[0] = BitConverter.UInt32BitsToSingle(
                    (uint)BinaryPrimitives.ReadUInt16LittleEndian(block) << 16
                );
                break;
            case "Q8_0":
                DequantizeQ8_0(block, weights);
                break;
            case "Q5_0" or "Q5_1":
                DequantizeQ5(block, hasMin: type == GgufType.Q5_1, weights);
                break;
            case "Q5_K":
                DequantizeQ5_K(block, weights);
                break;
            case "Q6_K":
                DequantizeQ6_K(block, weights);
                break;
            default:
                throw new ArgumentException($"Blocks of {type.Name} have no values here.", nameof(type));
        }
    }

    /// <summary><c>w = d q</c>.</summary>
    public static void DequantizeQ8_0(ReadOnlySpan<byte> block, Span<float> weights)
    {
        var scale = ReadHalf(block);
        for (var i = 0; i < GroupSize; i++)
        {
            weights[i] = scale * (sbyte)block[sizeof(ushort) + i];
        }
    }

    static void DequantizeGroups(GgufType type, ReadOnlySpan<byte> block, Span<float> weights)
    {
        Span<byte> codes = stackalloc byte[GroupSize];
        for (var group = 0; group < weights.Length / GroupSize; group++)
        {
            var (scale, min) = ReadGroup(type, block, group, codes);
            for (var i = 0; i < GroupSize; i++)
            {
                weights[group * GroupSize + i] = scale * codes[i] + min;
            }
        }
    }

    /// <summary>
    /// A group of 32 weights of 4 bits as <c>w = scale q + min</c>: Q4_0's min is <c>-8 d</c>, Q4_K's scale
    /// <c>d sc</c> and its min <c>-dmin mn</c>.
    /// </summary>
    /// <param name="type">Q4_0, Q4_1 or Q4_K.</param>
    /// <param name="block">The block.</param>
    /// <param name="group">Which group of it.</param>
    /// <param name="codes">Where its 32 codes go, 0 to 15.</param>
    public static (float Scale, float Min) ReadGroup(
        GgufType type,
        ReadOnlySpan<byte> block,
        int group,
        Span<byte> codes
    )
    {
        var first = ReadHalf(block);
        if (type == GgufType.Q4_0)
        {
            SplitNibbles(block[sizeof(ushort)..], codes);
            return (first, -8 * first);
        }

        var second = ReadHalf(block[sizeof(ushort)..]);
        if (type == GgufType.Q4_1)
        {
            SplitNibbles(block[(2 * sizeof(ushort))..], codes);
            return (first, second);
        }

        var packed = block.Slice(CodesAt + group / 2 * GroupSize, GroupSize);
        for (var i = 0; i < GroupSize; i++)
        {
            codes[i] = (byte)(group % 2 == 0 ? packed[i] & 0xF : packed[i] >> 4);
        }

        var (scale, min) = ReadScaleAndMin(block.Slice(ScalesAt, 12), group);
        return (first * scale, -(second * min));
    }

    static void SplitNibbles(ReadOnlySpan<byte> packed, Span<byte> codes)
    {
        for (var i = 0; i < GroupSize / 2; i++)
        {
            codes[i] = (byte)(packed[i] & 0xF);
            codes[i + GroupSize / 2] = (byte)(packed[i] >> 4);
        }
    }

    /// <summary>
    /// Scale and min of 6 bits of a group: of the first four in the low bits of bytes g and g + 4; of the others in
    /// the halves of byte g + 4, with the upper bits of bytes g - 4 and g.
    /// </summary>
    static (int Scale, int Min) ReadScaleAndMin(ReadOnlySpan<byte> packed, int group) =>
        group < 4
            ? (packed[group] & 63, packed[group + 4] & 63)
            : (
                (packed[group + 4] & 0xF) | (packed[group - 4] >> 6 << 4),
                (packed[group + 4] >> 4) | (packed[group] >> 6 << 4)
            );

    /// <summary><c>w = d (q - 16)</c>, with a min <c>w = d q + m</c>; q of 5 bits.</summary>
    public static void DequantizeQ5(ReadOnlySpan<byte> block, bool hasMin, Span<float> weights)
    {
        var scale = ReadHalf(block);
        var min = hasMin ? ReadHalf(block[sizeof(ushort)..]) : 0;
        var rest = block[(hasMin ? 2 * sizeof(ushort) : sizeof(ushort))..];
        var fifthBits = BinaryPrimitives.ReadUInt32LittleEndian(rest);
        Span<byte> codes = stackalloc byte[GroupSize];
        SplitNibbles(rest[sizeof(uint)..], codes);
        for (var i = 0; i < GroupSize; i++)
        {
            var code = codes[i] | (int)(fifthBits >> i & 1) << 4;
            weights[i] = hasMin ? scale * code + min : scale * (code - 16);
        }
    }

    /// <summary><c>w = d sc[g] q - dmin mn[g]</c> with q of 5 bits.</summary>
    public static void DequantizeQ5_K(ReadOnlySpan<byte> block, Span<float> weights)
    {
        var (scale, min) = (ReadHalf(block), ReadHalf(block[sizeof(ushort)..]));
        var highBits = block.Slice(CodesAt, GroupSize);
        var codes = block[(CodesAt + GroupSize)..];
        for (var group = 0; group < weights.Length / GroupSize; group++)
        {
            var (groupScale, groupMin) = ReadScaleAndMin(block.Slice(ScalesAt, 12), group);
            var (step, offset) = (scale * groupScale, min * groupMin);
            for (var i = 0; i < GroupSize; i++)
            {
                var packed = codes[group / 2 * GroupSize + i];
                var code = (group % 2 == 0 ? packed & 0xF : packed >> 4) | (highBits[i] >> group & 1) << 4;
                weights[group * GroupSize + i] = step * code - offset;
            }
        }
    }

    /// <summary><c>w = d sc[index / 16] (q - 32)</c> with q of 6 bits.</summary>
    public static void DequantizeQ6_K(ReadOnlySpan<byte> block, Span<float> weights)
    {
        const int Half = 128;
        var low = block[..Half];
        var high = block.Slice(Half, 64);
        var scales = block.Slice(192, 16);
        var scale = ReadHalf(block[208..]);
        for (var i = 0; i < weights.Length; i++)
        {
            var (half, inHalf) = (i / Half, i % Half);
            var (quarter, place) = (inHalf / 32, inHalf % 32);
            var nibbles = low[half * 64 + quarter % 2 * 32 + place];
            var lowBits = quarter < 2 ? nibbles & 0xF : nibbles >> 4;
            var highBits = high[half * 32 + place] >> (2 * quarter) & 3;
            weights[i] = scale * (sbyte)scales[i / 16] * ((lowBits | highBits << 4) - 32);
        }
    }

    /// <summary>
    /// 32 weights as a block of Q8_0: <c>d = max |w| / 127</c>, <c>q = round(w / d)</c>, halves away from zero.
    /// </summary>
    public static void QuantizeQ8_0(ReadOnlySpan<float> weights, Span<byte> block)
    {
        var largest = 0f;
        foreach (var weight in weights)
        {
            largest = Math.Max(largest, Math.Abs(weight));
        }

        var scale = largest / 127;
        var inverse = scale > 0 ? 1 / scale : 0;
        BinaryPrimitives.WriteHalfLittleEndian(block, (Half)scale);
        for (var i = 0; i < GroupSize; i++)
        {
            var code = MathF.Round(weights[i] * inverse, MidpointRounding.AwayFromZero);
            block[sizeof(ushort) + i] = (byte)(sbyte)code;
        }
    }

    /// <summary>
    /// 32 weights as a block of Q4_0: d is the weight of largest magnitude, with its sign, over -8;
    /// <c>q = min(15, floor(w / d + 8.5))</c>.
    /// </summary>
    public static void QuantizeQ4_0(ReadOnlySpan<float> weights, Span<byte> block)
    {
        var largest = 0f;
        foreach (var weight in weights)
        {
            largest = Math.Abs(weight) > Math.Abs(largest) ? weight : largest;
        }

        var scale = largest / -8;
        var inverse = scale != 0 ? 1 / scale : 0;
        BinaryPrimitives.WriteHalfLittleEndian(block, (Half)scale);
        for (var i = 0; i < GroupSize / 2; i++)
        {
            var (low, high) = (Code(weights[i]), Code(weights[i + GroupSize / 2]));
            block[sizeof(ushort) + i] = (byte)(low | high << 4);
        }

        int Code(float weight) => Math.Min(15, (int)(weight * inverse + 8.5f));
    }

    static float ReadHalf(ReadOnlySpan<byte> bytes) => (float)BinaryPrimitives.ReadHalfLittleEndian(bytes);
}
