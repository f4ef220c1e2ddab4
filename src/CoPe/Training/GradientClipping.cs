using CoPe.Kernels;
using static TorchSharp.torch;

namespace CoPe.Training;

/// <summary>Clipping of gradients by their norm, each user's by his own.</summary>
public static class GradientClipping
{
    /// <summary>Euclidean norm of each user's gradient.</summary>
    /// <param name="gradients"><c>[users, weights]</c> float32.</param>
    /// <returns><c>[users]</c> float32, the caller's.</returns>
    public static Tensor Norms(Tensor gradients) => linalg.vector_norm(gradients, 2, [1]);

    /// <summary>
    /// What each user's gradient is multiplied by, as <c>clip_grad_norm_</c> of torch:
    /// <code>min(1, max / (norm + 1e-6)), or 1 where max is 0, as the trainer of transformers has it</code>
    /// </summary>
    /// <param name="norms"><c>[users]</c> float32.</param>
    /// <param name="maxNorm">Largest norm let through; 0 for any.</param>
    /// <returns><c>[users]</c> float32, the caller's.</returns>
    public static Tensor Coefficients(Tensor norms, double maxNorm)
    {
        if (maxNorm == 0) return ones_like(norms);
        using var scope = NewDisposeScope();
        return tensor((float)maxNorm, device: norms.device).div(norms.add(Scalars.Of(1e-6), Scalars.One)).clamp_max_(Scalars.One).MoveToOuterDisposeScope();
    }
}
