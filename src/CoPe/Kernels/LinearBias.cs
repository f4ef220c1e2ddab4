using static TorchSharp.torch;

namespace CoPe.Kernels;

/// <summary>A linear layer's bias as the kernels add it.</summary>
static class LinearBias
{
    /// <summary>The numbers of a bias <c>[out]</c> in float32; null for none.</summary>
    public static float[]? Of(Tensor? bias)
    {
        if (bias is null) return null;
        using var noGrad = no_grad();
        using var wide = bias.to(ScalarType.Float32);
        return wide.data<float>().ToArray();
    }
}
