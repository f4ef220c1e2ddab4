using CoPe.Kernels.Threads;
using CoPe.Kernels.Torch;
using static TorchSharp.torch;

namespace CoPe.Kernels.Gemm;

/// <summary>
/// A frozen bf16 linear layer for a few rows by <see cref="SkinnyGemm"/>, which reads torch's memory (or the mapped
/// file) in place. Borrows the weights, which must outlive it.
/// </summary>
sealed unsafe class SkinnyLinear
{
    readonly Tensor _weight; // [out, in]
    readonly ushort* _data;
    readonly float[]? _bias; // [out]
    readonly int _inputs;
    readonly int _outputs;

    SkinnyLinear(Tensor weight, Tensor? bias)
    {
        (_weight, _outputs, _inputs) = (weight, (int)weight.shape[0], (int)weight.shape[1]);
        _data = (ushort*)TensorMemory.GetPointer(weight);
        _bias = LinearBias.ReadFloat32(bias);
    }

    /// <summary>
    /// The layer, or null where the kernel does not apply: its weights must be bf16 on the processor, contiguous,
    /// frozen.
    /// </summary>
    public static SkinnyLinear? TryCreate(Tensor weight, Tensor? bias = null) =>
        TensorMemory.IsContiguousBf16(weight) && !weight.requires_grad && bias is not { requires_grad: true }
            ? new(weight, bias)
            : null;

    /// <summary>
    /// Whether the kernel applies to x <c>[..., in]</c>: bf16, contiguous, few enough rows to be faster, not tracked by
    /// autograd.
    /// </summary>
    public bool Supports(Tensor x) =>
        x.dtype == ScalarType.BFloat16
        && SkinnyGemm.IsFaster(x.numel() / _inputs, _inputs)
        && x.is_contiguous()
        && !(is_grad_enabled() && x.requires_grad);

    /// <summary><c>x W^T + b</c>, <c>[..., out]</c> bf16, owned by the caller.</summary>
    public Tensor Multiply(Tensor x)
    {
        var shape = x.shape;
        if (shape[^1] != _inputs)
        {
            throw new ArgumentException(
                $"x has shape [{string.Join(", ", shape)}]; expected [..., {_inputs}].",
                nameof(x)
            );
        }

        var rows = (int)(x.numel() / _inputs);
        shape[^1] = _outputs;
        var y = empty(shape, dtype: ScalarType.BFloat16);
        fixed (float* added = _bias)
        {
            SkinnyGemm.Multiply(
                new(
                    (ushort*)TensorMemory.GetPointer(x),
                    _data,
                    added,
                    (ushort*)TensorMemory.GetPointer(y),
                    new(rows, _outputs, _inputs)
                ),
                TorchThreads.KernelThreadCount
            );
        }

        GC.KeepAlive(x);
        GC.KeepAlive(_weight);
        return y;
    }
}

/// <summary>A linear layer's bias as the kernels add it.</summary>
static class LinearBias
{
    /// <summary>The numbers of a bias <c>[out]</c> in float32; null for none.</summary>
    public static float[]? ReadFloat32(Tensor? bias)
    {
        if (bias is null)
        {
            return null;
        }

        using var noGrad = no_grad();
        using var wide = bias.to(ScalarType.Float32);
        return wide.data<float>().ToArray();
    }
}
