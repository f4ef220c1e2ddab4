using static TorchSharp.torch;

namespace CoPe.Kernels;

/// <summary>A frozen bf16 linear layer for a few rows by <see cref="FewRowsProduct"/>, which reads torch's memory (or the mapped file) in place. Borrows the weights, which must outlive it.</summary>
sealed unsafe class FewRowsLinear
{
    readonly Tensor weight; // [out, in]
    readonly ushort* data;
    readonly float[]? bias; // [out]
    readonly int inputs;
    readonly int outputs;

    FewRowsLinear(Tensor weight, Tensor? bias)
    {
        (this.weight, outputs, inputs) = (weight, (int)weight.shape[0], (int)weight.shape[1]);
        data = (ushort*)TensorMemory.Of(weight);
        this.bias = LinearBias.Of(bias);
    }

    /// <summary>The layer, or null where its weights are not of the kind: bf16 on the processor, contiguous, frozen.</summary>
    public static FewRowsLinear? Of(Tensor weight, Tensor? bias = null) =>
        TensorMemory.IsPlain(weight) && !weight.requires_grad && bias is not { requires_grad: true }
            ? new(weight, bias) : null;

    /// <summary>Whether it reads this very weight.</summary>
    public bool IsOver(Tensor other) => ReferenceEquals(weight, other);

    /// <summary>Whether x <c>[..., in]</c> is of the kind: bf16, contiguous, rows few enough to be faster, and nothing for autograd to remember.</summary>
    public bool Serves(Tensor x) =>
        x.dtype == ScalarType.BFloat16 && FewRowsProduct.IsFaster(x.numel() / inputs, inputs) && x.is_contiguous() && !(is_grad_enabled() && x.requires_grad);

    /// <summary><c>x W^T + b</c>, <c>[..., out]</c> bf16, owned by the caller.</summary>
    public Tensor Multiply(Tensor x)
    {
        var shape = x.shape;
        if (shape[^1] != inputs) throw new ArgumentException($"x has shape [{string.Join(", ", shape)}]; expected [..., {inputs}].", nameof(x));
        var rows = (int)(x.numel() / inputs);
        shape[^1] = outputs;
        var y = empty(shape, dtype: ScalarType.BFloat16);
        fixed (float* added = bias) FewRowsProduct.Multiply(new((ushort*)TensorMemory.Of(x), data, added, (ushort*)TensorMemory.Of(y), new(rows, outputs, inputs)), TorchThreads.OfKernels);
        GC.KeepAlive(x);
        GC.KeepAlive(weight);
        return y;
    }
}
