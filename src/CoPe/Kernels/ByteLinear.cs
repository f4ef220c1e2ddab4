using static TorchSharp.torch;

namespace CoPe.Kernels;

/// <summary>An int8 linear layer for any number of rows by <see cref="ByteProduct"/>. Borrows the weights, which must outlive it.</summary>
sealed unsafe class ByteLinear(ByteWeights weights, Tensor? bias)
{
    /// <summary>Rows that one product takes, so that their int16 copies stay small.</summary>
    const int RowsPerProduct = 512;

    readonly float[]? bias = LinearBias.Of(bias); // [out]

    /// <summary>
    /// <c>x W^T + b</c> for x <c>[..., in]</c> bf16, contiguous, on the processor; <c>[..., out]</c> bf16, owned by the caller. A row's result does not depend on the others. Throws
    /// <see cref="InvalidOperationException"/> for what int8 weights cannot serve, an input that autograd tracks above all.
    /// </summary>
    public Tensor Multiply(Tensor x)
    {
        var shape = x.shape;
        if (shape[^1] != weights.Inputs) throw new ArgumentException($"x has shape [{string.Join(", ", shape)}]; expected [..., {weights.Inputs}].", nameof(x));
        if (!TensorMemory.IsPlain(x) || (is_grad_enabled() && x.requires_grad))
            throw new InvalidOperationException($"int8 weights [{weights.Rows}, {weights.Inputs}] met a {x.dtype} input on {x.device}{(x.requires_grad ? " that autograd tracks" : "")}: they serve decoding and scoring in bf16 on the processor alone. Load the model in bf16 or fp32 to train.");
        var rows = (int)(x.numel() / weights.Inputs);
        shape[^1] = weights.Rows;
        var y = empty(shape, dtype: ScalarType.BFloat16);
        ushort* from = (ushort*)TensorMemory.Of(x), to = (ushort*)TensorMemory.Of(y);
        fixed (float* added = bias)
            for (var row = 0; row < rows; row += RowsPerProduct)
            {
                var factors = new ByteProduct.Factors((nint)weights.Values, (nint)weights.Scales, (nint)added, new(Math.Min(RowsPerProduct, rows - row), weights.Rows, weights.Inputs));
                ByteProduct.Multiply(from + (long)row * weights.Inputs, factors, to + (long)row * weights.Rows, TorchThreads.OfKernels);
            }
        GC.KeepAlive(x);
        return y;
    }
}
