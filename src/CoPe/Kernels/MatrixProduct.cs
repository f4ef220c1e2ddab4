using System.Runtime.Intrinsics.X86;
using TorchSharp;
using static TorchSharp.torch;

namespace CoPe.Kernels;

/// <summary>
/// <c>X W^T + b</c> as torch computes it best on the device. oneDNN multiplies bf16 where the processor has AVX-512; without it torch falls back to a loop that is five to thirteen times slower than a float32 product,
/// so there bf16 goes through float32 (<see cref="WidenedProduct"/>). Inputs, sums and the rounding of results are the same.
/// </summary>
static class MatrixProduct
{
    /// <summary>Whether bf16 products of tensors on this device go through float32.</summary>
    public static bool Widens(Device device) => device.type == DeviceType.CPU && !Avx512BW.IsSupported;

    /// <summary><c>x w^T + bias</c> for x <c>[..., k]</c>, w <c>[n, k]</c>, bias <c>[n]</c> or null: <c>[..., n]</c>; or batched for x <c>[g, m, k]</c>, w <c>[g, n, k]</c>: <c>[g, m, n]</c>. All of one dtype, owned by the caller.</summary>
    public static Tensor Of(Tensor x, Tensor w, Tensor? bias = null)
    {
        if (x.dtype == ScalarType.BFloat16 && Widens(x.device)) return WidenedProduct.Of(x, w, bias);
        if (w.dim() == 2) return nn.functional.linear(x, w, bias);
        using var turned = w.transpose(1, 2);
        return x.bmm(turned);
    }
}
