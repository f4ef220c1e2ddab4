using System.Buffers.Binary;
using CoPe.Gguf;

namespace CoPe.Tests.Gguf;

public sealed class GgufBlocksTests
{
    static readonly int[] Scales = [1, 2, 3, 4, 17, 34, 51, 63];
    static readonly int[] Mins = [5, 6, 7, 8, 63, 48, 33, 18];

    [Fact]
    public void Q8_0_is_the_scale_times_whole_numbers()
    {
        var block = new byte[34];
        WriteHalf(block, 0, 0.5f);
        for (var i = 0; i < 32; i++)
        {
            block[2 + i] = (byte)(sbyte)(i * 8 - 128);
        }

        var weights = Dequantize(GgufType.Q8_0, block);
        Assert.Equal(Enumerable.Range(0, 32).Select(i => 0.5f * (i * 8 - 128)), weights);
    }

    [Fact]
    public void Q4_0_has_the_first_half_in_the_low_bits_and_8_taken_off()
    {
        var block = new byte[18];
        WriteHalf(block, 0, 2);
        for (var i = 0; i < 16; i++)
        {
            block[2 + i] = (byte)(i | 15 - i << 4);
        }

        var weights = Dequantize(GgufType.Q4_0, block);
        Assert.Equal(
            Enumerable.Range(0, 16).Select(i => 2f * (i - 8)).Concat(Enumerable.Range(0, 16).Select(i => 2f * (7 - i))),
            weights
        );
    }

    [Fact]
    public void Q4_1_adds_its_min()
    {
        var block = new byte[20];
        WriteHalf(block, 0, 0.25f);
        WriteHalf(block, 2, -3);
        for (var i = 0; i < 16; i++)
        {
            block[4 + i] = (byte)(i | 15 - i << 4);
        }

        var weights = Dequantize(GgufType.Q4_1, block);
        Assert.Equal(-3, weights[0]);
        Assert.Equal(0.25f * 15 - 3, weights[15]);
        Assert.Equal(0.25f * 15 - 3, weights[16]);
        Assert.Equal(-3, weights[31]);
    }

    [Theory]
    [InlineData("Q5_0")]
    [InlineData("Q5_1")]
    public void Q5_takes_the_fifth_bit_from_a_word(string name)
    {
        var hasMin = name == "Q5_1";
        var block = new byte[hasMin ? 24 : 22];
        WriteHalf(block, 0, 0.5f);
        if (hasMin)
        {
            WriteHalf(block, 2, -7);
        }

        const uint FifthBits = 0xA5C3_0F96;
        var start = hasMin ? 4 : 2;
        BinaryPrimitives.WriteUInt32LittleEndian(block.AsSpan(start), FifthBits);
        for (var i = 0; i < 16; i++)
        {
            block[start + 4 + i] = (byte)(i | 15 - i << 4);
        }

        var weights = Dequantize(GgufType.Find(hasMin ? 7u : 6u)!, block);
        for (var i = 0; i < 32; i++)
        {
            var code = (i < 16 ? i : 31 - i) + ((FifthBits & 1u << i) != 0 ? 16 : 0);
            Assert.Equal(hasMin ? 0.5f * code - 7 : 0.5f * (code - 16), weights[i]);
        }
    }

    [Fact]
    public void Q4_K_has_a_scale_and_a_min_for_each_32_weights()
    {
        var block = new byte[144];
        WriteScales(block);
        for (var i = 0; i < 128; i++)
        {
            block[16 + i] = (byte)(i * 37);
        }

        var weights = Dequantize(GgufType.Q4_K, block);
        for (var i = 0; i < 256; i++)
        {
            var (chunk, place) = (i / 64, i % 64);
            var packed = (byte)((chunk * 32 + place % 32) * 37);
            var code = place < 32 ? packed & 15 : packed >> 4;
            Assert.Equal(0.5f * Scales[i / 32] * code - 0.25f * Mins[i / 32], weights[i]);
        }
    }

    [Fact]
    public void Q5_K_takes_the_fifth_bit_of_a_group_from_bit_g()
    {
        var block = new byte[176];
        WriteScales(block);
        for (var i = 0; i < 32; i++)
        {
            block[16 + i] = (byte)(i * 11 + 3);
        }

        for (var i = 0; i < 128; i++)
        {
            block[48 + i] = (byte)(i * 29);
        }

        var weights = Dequantize(GgufType.Q5_K, block);
        for (var i = 0; i < 256; i++)
        {
            var (group, place) = (i / 32, i % 32);
            var packed = (byte)((group / 2 * 32 + place) * 29);
            var fifth = ((place * 11 + 3) & 1 << group) != 0 ? 16 : 0;
            var code = (group % 2 == 0 ? packed & 15 : packed >> 4) + fifth;
            Assert.Equal(0.5f * Scales[group] * code - 0.25f * Mins[group], weights[i]);
        }
    }

    /// <summary>By the loop of the format's description: four weights of a half at a time.</summary>
    [Fact]
    public void Q6_K_has_a_scale_for_each_16_weights_and_32_taken_off()
    {
        var block = new byte[210];
        for (var i = 0; i < 192; i++)
        {
            block[i] = (byte)(i * 53 + 7);
        }

        for (var i = 0; i < 16; i++)
        {
            block[192 + i] = (byte)(sbyte)(i * 9 - 70);
        }

        WriteHalf(block, 208, 0.125f);
        var weights = Dequantize(GgufType.Q6_K, block);
        for (var half = 0; half < 2; half++)
        {
            for (var l = 0; l < 32; l++)
            {
                var (low, next, high) = (block[half * 64 + l], block[half * 64 + l + 32], block[128 + half * 32 + l]);
                int[] codes = [low & 15 | (high & 3) << 4, next & 15 | (high >> 2 & 3) << 4, 0, 0];
                codes[2] = low >> 4 | (high >> 4 & 3) << 4;
                codes[3] = next >> 4 | (high >> 6 & 3) << 4;
                for (var part = 0; part < 4; part++)
                {
                    var scale = half * 8 + l / 16 + 2 * part;
                    var expected = 0.125f * (scale * 9 - 70) * (codes[part] - 32);
                    Assert.Equal(expected, weights[half * 128 + part * 32 + l]);
                }
            }
        }
    }

    [Fact]
    public void Numbers_are_read_as_they_are()
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteSingleLittleEndian(bytes, 1.25f);
        BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(4), -3);
        Assert.Equal([1.25f, -3], Dequantize(GgufType.F32, bytes));
        Assert.Equal([-3f], Dequantize(GgufType.Bf16, bytes.AsSpan(6)));
        WriteHalf(bytes, 0, 0.1f);
        Assert.Equal([(float)(Half)0.1f], Dequantize(GgufType.F16, bytes.AsSpan(0, 2)));
    }

    [Theory]
    [InlineData("Q8_0", 1.0 / 127)]
    [InlineData("Q4_0", 1.0 / 8)]
    public void Weights_come_back_within_a_step(string name, double step)
    {
        var type = GgufType.Find(name == "Q8_0" ? 8u : 2u)!;
        var random = new Random(3);
        for (var round = 0; round < 100; round++)
        {
            float[] weights = [.. Enumerable.Range(0, 32).Select(_ => (float)(random.NextDouble() * 2 - 1))];
            var largest = weights.Max(Math.Abs);
            var block = new byte[type.BlockBytes];
            if (name == "Q8_0")
            {
                GgufBlocks.QuantizeQ8_0(weights, block);
            }
            else
            {
                GgufBlocks.QuantizeQ4_0(weights, block);
            }

            var error = Dequantize(type, block).Zip(weights, (a, b) => Math.Abs(a - b)).Max();
            Assert.InRange(error, 0, 1.001 * step * largest);
        }
    }

    [Fact]
    public void Zeros_stay_zeros()
    {
        var block = new byte[34];
        GgufBlocks.QuantizeQ8_0(new float[32], block);
        Assert.All(Dequantize(GgufType.Q8_0, block), weight => Assert.Equal(0, weight));
        GgufBlocks.QuantizeQ4_0(new float[32], block);
        Assert.All(Dequantize(GgufType.Q4_0, block.AsSpan(0, 18)), weight => Assert.Equal(0, weight));
    }

    static float[] Dequantize(GgufType type, ReadOnlySpan<byte> blocks)
    {
        var weights = new float[blocks.Length / type.BlockBytes * type.BlockSize];
        GgufBlocks.Dequantize(type, blocks, weights);
        return weights;
    }

    /// <summary>d 0.5, dmin 0.25, and eight scales and mins in 12 bytes.</summary>
    static void WriteScales(byte[] block)
    {
        WriteHalf(block, 0, 0.5f);
        WriteHalf(block, 2, 0.25f);
        for (var g = 0; g < 4; g++)
        {
            block[4 + g] = (byte)(Scales[g] | Scales[g + 4] >> 4 << 6);
            block[8 + g] = (byte)(Mins[g] | Mins[g + 4] >> 4 << 6);
            block[12 + g] = (byte)(Scales[g + 4] & 15 | (Mins[g + 4] & 15) << 4);
        }
    }

    static void WriteHalf(byte[] bytes, int at, float value) =>
        BinaryPrimitives.WriteHalfLittleEndian(bytes.AsSpan(at), (Half)value);
}
