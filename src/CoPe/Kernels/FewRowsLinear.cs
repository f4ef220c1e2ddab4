using TorchSharp;
using static TorchSharp.torch;

namespace CoPe.Kernels;

/// <summary>A frozen bf16 linear layer applied to a few rows by <see cref="FewRowsProduct"/>, which reads torch's memory (or the mapped file) in place.</summary>
static unsafe class FewRowsLinear
{
    /// <summary>Whether x <c>[..., in]</c> and W <c>[out, in]</c> are of the kind: bf16 on the processor, contiguous, rows few enough to be faster, and nothing for autograd to remember.</summary>
    public static bool Applies(Tensor x, Tensor weight) =>
        x.dtype == ScalarType.BFloat16 && weight.dtype == ScalarType.BFloat16 && x.device_type == DeviceType.CPU && weight.device_type == DeviceType.CPU
        && FewRowsProduct.IsFaster(x.numel() / weight.shape[1], weight.shape[1]) && x.is_contiguous() && weight.is_contiguous()
        && !(is_grad_enabled() && (x.requires_grad || weight.requires_grad));

    /// <summary><c>x W^T</c>, <c>[..., out]</c> bf16, owned by the caller.</summary>
    public static Tensor Multiply(Tensor x, Tensor weight)
    {
        var (outputs, inputs) = ((int)weight.shape[0], (int)weight.shape[1]);
        if (x.shape[^1] != inputs) throw new ArgumentException($"x has shape [{string.Join(", ", x.shape)}]; expected [..., {inputs}].", nameof(x));
        var y = empty([.. x.shape[..^1], outputs], dtype: ScalarType.BFloat16);
        var sizes = new FewRowsProduct.Sizes((int)(x.numel() / inputs), outputs, inputs);
        FewRowsProduct.Multiply(Data(x), Data(weight), Data(y), sizes, TorchThreads.OfKernels);
        GC.KeepAlive(x);
        GC.KeepAlive(weight);
        return y;
    }

    static ushort* Data(Tensor tensor) => (ushort*)TensorMemory.Of(tensor);
}
