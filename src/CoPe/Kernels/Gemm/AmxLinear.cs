using CoPe.Kernels.Threads;
using CoPe.Kernels.Torch;
using static TorchSharp.torch;

namespace CoPe.Kernels.Gemm;

/// <summary>
/// A frozen bf16 linear layer for many rows by <see cref="AmxGemm"/>, with the gradient of its input. Borrows the
/// weights, which must outlive it.
/// </summary>
sealed unsafe class AmxLinear : IFrozenLinear
{
    /// <summary>Fewer rows are <see cref="SkinnyLinear"/>'s, or not worth a tile.</summary>
    const int MinRows = AmxBf16Kernel.Tile + 1;

    readonly Tensor _weight; // [out, in]
    readonly ushort* _data;
    readonly float[]? _bias; // [out]
    readonly int _inputs;
    readonly int _outputs;

    AmxLinear(Tensor weight, Tensor? bias)
    {
        (_weight, _outputs, _inputs) = (weight, (int)weight.shape[0], (int)weight.shape[1]);
        _data = (ushort*)TensorMemory.GetPointer(weight);
        _bias = LinearBias.ReadFloat32(bias);
    }

    /// <summary>The layer, or null where the kernel does not apply.</summary>
    public static AmxLinear? TryCreate(Tensor weight, Tensor? bias = null)
    {
        var isFrozen = !weight.requires_grad && bias is not { requires_grad: true };
        var applies =
            isFrozen && TensorMemory.IsContiguousBf16(weight) && AmxBlocks.Supports(weight.shape[0], weight.shape[1]);
        return applies ? new(weight, bias) : null;
    }

    /// <summary>Whether the kernel applies to x <c>[..., in]</c>: bf16, contiguous, of enough rows.</summary>
    public bool Supports(Tensor x) => x.numel() / _inputs >= MinRows && TensorMemory.IsContiguousBf16(x);

    /// <summary>
    /// <c>x W^T + b</c>, <c>[..., out]</c> bf16, owned by the caller; autograd works through it to x.
    /// </summary>
    public Tensor Multiply(Tensor x) =>
        is_grad_enabled() && x.requires_grad ? FrozenProduct.Multiply(x, this) : MultiplyUntracked(x);

    /// <summary><c>x W^T + b</c> for x <c>[..., in]</c>.</summary>
    public Tensor MultiplyUntracked(Tensor x)
    {
        var (y, shape) = Allocate(x, _inputs, _outputs);
        fixed (float* bias = _bias)
        {
            AmxGemm.Multiply(
                new((ushort*)TensorMemory.GetPointer(x), _data, bias, (ushort*)TensorMemory.GetPointer(y), shape),
                TorchThreads.KernelThreadCount
            );
        }

        GC.KeepAlive(x);
        GC.KeepAlive(_weight);
        return y;
    }

    /// <summary><c>g W</c> for g <c>[..., out]</c>, contiguous; <c>[..., in]</c>.</summary>
    public Tensor MultiplyTransposed(Tensor g)
    {
        var (y, shape) = Allocate(g, _outputs, _inputs);
        AmxGradientGemm.Multiply(
            (ushort*)TensorMemory.GetPointer(g),
            _data,
            (ushort*)TensorMemory.GetPointer(y),
            shape,
            TorchThreads.KernelThreadCount
        );
        GC.KeepAlive(g);
        GC.KeepAlive(_weight);
        return y;
    }

    (Tensor Result, SkinnyGemm.Shape Shape) Allocate(Tensor x, int from, int to)
    {
        var sizes = x.shape;
        if (sizes[^1] != from)
        {
            throw new ArgumentException(
                $"x has shape [{string.Join(", ", sizes)}]; expected [..., {from}].",
                nameof(x)
            );
        }

        var rows = checked((int)(x.numel() / from));
        sizes[^1] = to;
        return (empty(sizes, dtype: ScalarType.BFloat16), new(rows, _outputs, _inputs));
    }
}
