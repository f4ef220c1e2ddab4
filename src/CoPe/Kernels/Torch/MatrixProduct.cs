using System.Runtime.Intrinsics.X86;
using TorchSharp;
using static TorchSharp.torch;

namespace CoPe.Kernels.Torch;

/// <summary>
/// <c>X W^T + b</c> as torch computes it best on the device. oneDNN multiplies bf16 where the processor has AVX-512;
/// without it torch falls back to a loop that is five to thirteen times slower than a float32 product, so there bf16
/// goes through float32 (<see cref="UpcastProduct"/>). Inputs, sums and the rounding of results are the same.
/// </summary>
static class MatrixProduct
{
    /// <summary>Whether bf16 products of tensors on this device go through float32.</summary>
    public static bool UpcastsBf16(Device device) => device.type == DeviceType.CPU && !Avx512BW.IsSupported;

    /// <summary>
    /// <c>x w^T + bias</c> for x <c>[..., k]</c>, w <c>[n, k]</c>, bias <c>[n]</c> or null: <c>[..., n]</c>; or batched
    /// for x <c>[g, m, k]</c>, w <c>[g, n, k]</c>: <c>[g, m, n]</c>. All of one dtype, owned by the caller.
    /// </summary>
    public static Tensor Multiply(Tensor x, Tensor w, Tensor? bias = null)
    {
        if (x.dtype == ScalarType.BFloat16 && UpcastsBf16(x.device))
        {
            return UpcastProduct.Multiply(x, w, bias);
        }

        if (w.dim() == 2)
        {
            return nn.functional.linear(x, w, bias);
        }

        using var transposed = w.transpose(1, 2);
        return x.bmm(transposed);
    }
}

/// <summary>
/// The product of bf16 matrices through float32: operands are widened, which is exact, multiplied and summed in
/// float32, and results rounded to bf16 once, as oneDNN's bf16 product does it. A large matrix of weights is
/// widened in chunks, and autograd keeps the bf16 operands: widened copies never outlive their product.
/// </summary>
sealed class UpcastProduct : autograd.SingleTensorFunction<UpcastProduct>
{
    /// <summary>
    /// Numbers of a matrix that are widened at once: 4 MB, about what a processor's last cache holds for a core.
    /// </summary>
    const int MaxUpcastElements = 1 << 20;

    public override string Name => nameof(UpcastProduct);

    /// <summary>
    /// <see cref="MatrixProduct.Multiply"/> for bf16 operands; autograd works through it to all three.
    /// </summary>
    public static Tensor Multiply(Tensor x, Tensor w, Tensor? bias)
    {
        var isTracked = x.requires_grad || w.requires_grad || bias is { requires_grad: true };
        if (!isTracked || !is_grad_enabled())
        {
            return MultiplyUntracked(x, w, bias);
        }

        return bias is null ? apply(x, w) : apply(x, w, bias);
    }

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (x, w, bias) = ((Tensor)vars[0], (Tensor)vars[1], vars.Length > 2 ? (Tensor)vars[2] : null);
        ctx.save_for_backward([x, w]);
        if (bias is not null)
        {
            ctx.save_data("bias", bias.requires_grad);
        }

        return MultiplyUntracked(x, w, bias);
    }

    /// <summary>
    /// <c>dL/dX = G W</c>, <c>dL/dW = G^T X</c>, <c>dL/db = sum of G over rows</c> for G the gradient of the result.
    /// </summary>
    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        ReturnedGradients.ReleaseLast();
        using var scope = NewDisposeScope();
        using var given = grad_output;
        var saved = ctx.get_saved_variables();
        var (x, w) = (saved[0], saved[1]);
        var isBatched = w.dim() == 3;
        var gradientRows = isBatched ? given : given.reshape(-1, given.shape[^1]); // [(g,) m, n]
        var inputRows = isBatched ? x : x.reshape(-1, x.shape[^1]); // [(g,) m, k]

        List<Tensor> gradients = [null!, null!];
        if (x.requires_grad)
        {
            gradients[0] = MultiplyUntracked(given, w.transpose(-1, -2), null);
        }

        if (w.requires_grad)
        {
            gradients[1] = MultiplyUntracked(gradientRows.transpose(-1, -2), inputRows.transpose(-1, -2), null);
        }

        if (ctx.get_data("bias") is bool isBiasTrained)
        {
            gradients.Add(isBiasTrained ? gradientRows.to(ScalarType.Float32).sum([0]).to(ScalarType.BFloat16) : null!);
        }

        gradients.ForEach(gradient => gradient?.MoveToOuterDisposeScope());
        return ReturnedGradients.Return([.. gradients]);
    }

    static Tensor MultiplyUntracked(Tensor x, Tensor w, Tensor? bias)
    {
        using var scope = NewDisposeScope();
        var wide = x.to(ScalarType.Float32);
        if (w.dim() == 3)
        {
            return wide.bmm(w.to(ScalarType.Float32).transpose(1, 2)).to(ScalarType.BFloat16).MoveToOuterDisposeScope();
        }

        var addend = bias?.to(ScalarType.Float32);
        if (w.numel() <= MaxUpcastElements)
        {
            return nn
                .functional.linear(wide, w.to(ScalarType.Float32), addend)
                .to(ScalarType.BFloat16)
                .MoveToOuterDisposeScope();
        }

        return (
            w.stride(-1) == 1 ? MultiplyByRowChunks(wide, w, addend) : MultiplyByColumnChunks(wide, w, addend)
        ).MoveToOuterDisposeScope();
    }

    /// <summary>A matrix whose rows lie one after the other: some results at a time.</summary>
    static Tensor MultiplyByRowChunks(Tensor x, Tensor w, Tensor? bias)
    {
        var y = empty([.. x.shape[..^1], w.shape[0]], dtype: ScalarType.BFloat16);
        var step = Math.Max(1, MaxUpcastElements / w.shape[1]);
        for (long first = 0; first < w.shape[0]; first += step)
        {
            using var scope = NewDisposeScope();
            var count = Math.Min(step, w.shape[0] - first);
            y.narrow(-1, first, count)
                .copy_(
                    nn.functional.linear(
                        x,
                        w.narrow(0, first, count).to(ScalarType.Float32),
                        bias?.narrow(0, first, count)
                    )
                );
        }
        return y;
    }

    /// <summary>A matrix whose columns lie one after the other: a part of each sum at a time.</summary>
    static Tensor MultiplyByColumnChunks(Tensor x, Tensor w, Tensor? bias)
    {
        var flat = x.reshape(-1, x.shape[^1]);
        var sums = zeros(flat.shape[0], w.shape[0]);
        if (bias is not null)
        {
            sums.add_(bias, Scalars.One);
        }

        var step = Math.Max(1, MaxUpcastElements / w.shape[0]);
        for (long first = 0; first < w.shape[1]; first += step)
        {
            using var scope = NewDisposeScope();
            var count = Math.Min(step, w.shape[1] - first);
            sums.addmm_(flat.narrow(1, first, count), w.narrow(1, first, count).to(ScalarType.Float32).t(), 1, 1);
        }
        return sums.to(ScalarType.BFloat16).view([.. x.shape[..^1], w.shape[0]]);
    }
}
