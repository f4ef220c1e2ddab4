using System.Runtime.InteropServices;
using CoPe.Gguf;
using CoPe.Kernels.Torch;
using static TorchSharp.torch;

namespace CoPe.Modeling.Gguf;

/// <summary>Makes tensors of GGUF files of ours: rows in llama.cpp's order, of one of the file's types.</summary>
static class GgufTensors
{
    const long WeightsPerPiece = 1 << 22;

    /// <summary>A tensor that is made when its turn comes.</summary>
    /// <param name="name">Its name in the file.</param>
    /// <param name="type">Its type: numbers, Q8_0 or Q4_0.</param>
    /// <param name="shape">Its shape.</param>
    /// <param name="open">Gives it in float32; disposed here.</param>
    public static GgufTensorSource CreateSource(
        string name,
        GgufType type,
        IReadOnlyList<long> shape,
        Func<Tensor> open
    ) => new(name, type, shape, stream => Write(stream, type, open));

    static void Write(Stream stream, GgufType type, Func<Tensor> open)
    {
        using var scope = NewDisposeScope();
        using var tensor = open();
        var flat = tensor.detach().cpu().contiguous().view(-1);
        for (long first = 0; first < flat.numel(); first += WeightsPerPiece)
        {
            using var pieceScope = NewDisposeScope();
            var piece = flat.narrow(0, first, Math.Min(WeightsPerPiece, flat.numel() - first));
            stream.Write(Encode(piece, type));
        }
    }

    static ReadOnlySpan<byte> Encode(Tensor piece, GgufType type)
    {
        if (type == GgufType.F32)
        {
            return piece.to(ScalarType.Float32).bytes;
        }

        if (type.IsFloat)
        {
            return piece.to(type == GgufType.F16 ? ScalarType.Float16 : ScalarType.BFloat16).bytes;
        }

        var weights = MemoryMarshal.Cast<byte, float>(piece.to(ScalarType.Float32).bytes);
        var blocks = new byte[weights.Length / type.BlockSize * type.BlockBytes];
        for (var i = 0; i < weights.Length / type.BlockSize; i++)
        {
            var group = weights.Slice(i * type.BlockSize, type.BlockSize);
            var block = blocks.AsSpan(i * type.BlockBytes, type.BlockBytes);
            if (type == GgufType.Q8_0)
            {
                GgufBlocks.QuantizeQ8_0(group, block);
            }
            else
            {
                GgufBlocks.QuantizeQ4_0(group, block);
            }
        }

        return blocks;
    }

    /// <summary>Rows of so many heads in pairs of a plane's coordinates; the caller's.</summary>
    public static Tensor PairRows(Tensor tensor, int heads)
    {
        using var scope = NewDisposeScope();
        var half = tensor.shape[0] / heads / 2;
        return tensor
            .reshape(heads, 2, half, -1)
            .transpose(1, 2)
            .contiguous()
            .view(tensor.shape)
            .MoveToOuterDisposeScope();
    }

    /// <summary>A tensor of Hugging Face's name as the architecture has it; takes its place.</summary>
    public static Tensor Arrange(Tensor tensor, string name, GgufArchitecture architecture, DecoderConfig config)
    {
        var heads = architecture.CountPairedHeads(name, config);
        if (heads == 0 && !architecture.HoldsOne(name))
        {
            return tensor;
        }

        using (tensor)
        {
            return heads > 0 ? PairRows(tensor, heads) : tensor.add(Scalars.One, Scalars.One);
        }
    }
}
