using CoPe.Kernels.Threads;
using CoPe.Kernels.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace CoPe.Kernels.Gemm;

/// <summary>
/// A linear layer of <see cref="QuantizedWeights"/>: bf16 inputs by their kernel, float32 ones piece by piece through
/// the dequantized weights, which give both the gradient of the input. Borrows the weights, which must outlive it.
/// </summary>
sealed unsafe class QuantizedLinear(QuantizedWeights weights, Tensor? bias) : IFrozenLinear
{
    /// <summary>Rows that one product of the kernel takes, so that their rounded copies stay small.</summary>
    const int RowsPerProduct = 512;

    /// <summary>
    /// Weights that are dequantized at once: 4 MB, about what a core has of a processor's last cache.
    /// </summary>
    const int MaxPieceElements = 1 << 20;

    readonly float[]? _bias = LinearBias.ReadFloat32(bias); // [out]

    /// <summary>
    /// <c>x W^T + b</c> for x <c>[..., in]</c>, contiguous, on the processor, bf16 or float32; <c>[..., out]</c> in the
    /// dtype of x, owned by the caller. Autograd works through it to x, and keeps nothing.
    /// </summary>
    /// <exception cref="ArgumentException">x has another shape, dtype or device.</exception>
    public Tensor Multiply(Tensor x)
    {
        Check(x);
        if (is_grad_enabled() && x.requires_grad)
        {
            return FrozenProduct.Multiply(x, this);
        }

        return MultiplyUntracked(x);
    }

    /// <summary>The same without a gradient.</summary>
    public Tensor MultiplyUntracked(Tensor x) =>
        x.dtype == ScalarType.BFloat16 ? MultiplyByKernel(x) : MultiplyByPieces(x);

    void Check(Tensor x)
    {
        var shape = x.shape;
        if (shape[^1] != weights.Inputs)
        {
            throw new ArgumentException(
                $"x has shape [{string.Join(", ", shape)}]; expected [..., {weights.Inputs}].",
                nameof(x)
            );
        }

        var isSupported = x.dtype is ScalarType.BFloat16 or ScalarType.Float32 && x.is_contiguous();
        if (!isSupported || x.device_type != DeviceType.CPU)
        {
            throw new ArgumentException(
                $"{weights.TypeName} weights [{weights.Rows}, {weights.Inputs}] met a {x.dtype} input on {x.device}; "
                    + "expected a contiguous one of bf16 or float32 on the processor.",
                nameof(x)
            );
        }
    }

    Tensor MultiplyByKernel(Tensor x)
    {
        var y = Allocate(x, weights.Rows);
        var rows = (int)(x.numel() / weights.Inputs);
        var from = (ushort*)TensorMemory.GetPointer(x);
        var to = (ushort*)TensorMemory.GetPointer(y);
        fixed (float* added = _bias)
        {
            for (var row = 0; row < rows; row += RowsPerProduct)
            {
                weights.Multiply(
                    from + (long)row * weights.Inputs,
                    Math.Min(RowsPerProduct, rows - row),
                    added,
                    to + (long)row * weights.Rows,
                    TorchThreads.KernelThreadCount
                );
            }
        }

        GC.KeepAlive(x);
        return y;
    }

    /// <summary><c>x W^T + b</c> through the dequantized weights: a few results at a time, in float32.</summary>
    Tensor MultiplyByPieces(Tensor x)
    {
        var y = Allocate(x, weights.Rows);
        using var scope = NewDisposeScope();
        var added = _bias is null ? null : tensor(_bias);
        foreach (var (first, piece) in DequantizePieces())
        {
            using var inner = NewDisposeScope();
            var count = piece.shape[0];
            y.narrow(-1, first, count).copy_(nn.functional.linear(x, piece, added?.narrow(0, first, count)));
        }

        return y;
    }

    /// <summary>
    /// <c>g W</c> for g <c>[..., out]</c>, through the dequantized weights in float32: <c>[..., in]</c>, in the dtype
    /// of g.
    /// </summary>
    public Tensor MultiplyTransposed(Tensor g)
    {
        using var scope = NewDisposeScope();
        var wide = g.reshape(-1, weights.Rows).to(ScalarType.Float32);
        var sums = zeros(wide.shape[0], weights.Inputs);
        foreach (var (first, piece) in DequantizePieces())
        {
            using var inner = NewDisposeScope();
            sums.addmm_(wide.narrow(1, first, piece.shape[0]), piece, 1, 1);
        }

        return sums.to(g.dtype).view([.. g.shape[..^1], weights.Inputs]).MoveToOuterDisposeScope();
    }

    /// <summary>Some rows of W at a time, <c>[count, in]</c> float32, in one tensor that is overwritten.</summary>
    IEnumerable<(int First, Tensor Piece)> DequantizePieces()
    {
        var multiple = weights.RowMultiple;
        var step = Math.Max(multiple, MaxPieceElements / weights.Inputs / multiple * multiple);
        using var pieces = empty([Math.Min(step, weights.Rows), weights.Inputs]).DetachFromDisposeScope();
        for (var first = 0; first < weights.Rows; first += step)
        {
            var count = Math.Min(step, weights.Rows - first);
            Dequantize(first, count, pieces);
            using var piece = pieces.narrow(0, 0, count);
            yield return (first, piece);
        }
    }

    void Dequantize(int first, int count, Tensor pieces)
    {
        var to = (nint)TensorMemory.GetPointer(pieces);
        var (multiple, inputs) = (weights.RowMultiple, weights.Inputs);
        WorkerTeam.Run(
            TorchThreads.KernelThreadCount,
            (count + multiple - 1) / multiple,
            chunk =>
            {
                var row = chunk * multiple;
                var target = (float*)to + (long)row * inputs;
                weights.Dequantize(first + row, Math.Min(multiple, count - row), target);
            }
        );
    }

    static Tensor Allocate(Tensor x, int width)
    {
        var shape = x.shape;
        shape[^1] = width;
        return empty(shape, dtype: x.dtype);
    }
}
