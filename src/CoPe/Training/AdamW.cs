using System.ComponentModel.DataAnnotations;
using CoPe.Kernels.Torch;
using static TorchSharp.torch;

namespace CoPe.Training;

/// <summary>
/// AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101, algorithm 2) for several users at once: weights are
/// <c>[users, weights]</c>, and each user has their own learning rate and step count. A user who does not take a step
/// keeps weights and moments to the bit.
/// <code>
/// w *= 1 - rate * decay;  m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2
/// w -= rate / (1 - b1^t) * m / (sqrt(v) / sqrt(1 - b2^t) + epsilon)
/// </code>
/// </summary>
sealed class AdamW : IDisposable
{
    readonly AdamWOptions _options;
    readonly long _decayed;

    /// <summary>
    /// Moments of zero for <paramref name="users"/> users with <paramref name="width"/> weights each, of which the
    /// first <paramref name="decayed"/> decay.
    /// </summary>
    public AdamW(int users, long width, long decayed, AdamWOptions options, Device? device = null)
    {
        if (decayed < 0 || decayed > width)
        {
            throw new ArgumentOutOfRangeException(
                nameof(decayed),
                $"{decayed} of {width} weights cannot decay; expected between 0 and {width}."
            );
        }

        _options = options;
        _decayed = decayed;
        FirstMoment = zeros(users, width, dtype: ScalarType.Float32, device: device).DetachFromDisposeScope();
        SecondMoment = zeros(users, width, dtype: ScalarType.Float32, device: device).DetachFromDisposeScope();
        StepCounts = new long[users];
    }

    /// <summary>m <c>[users, weights]</c> float32.</summary>
    public Tensor FirstMoment { get; }

    /// <summary>v <c>[users, weights]</c> float32.</summary>
    public Tensor SecondMoment { get; }

    /// <summary>t, steps taken by each user.</summary>
    public long[] StepCounts { get; }

    /// <summary>One step, in place, of the users who have a rate.</summary>
    /// <param name="weights"><c>[users, weights]</c> float32.</param>
    /// <param name="gradients"><c>[users, weights]</c> float32.</param>
    /// <param name="rates">Each user's learning rate; null leaves the user as they are.</param>
    /// <exception cref="ArgumentException">A shape is not that of the moments.</exception>
    public void Step(Tensor weights, Tensor gradients, IReadOnlyList<double?> rates)
    {
        if (
            !weights.shape.SequenceEqual(FirstMoment.shape)
            || !gradients.shape.SequenceEqual(FirstMoment.shape)
            || rates.Count != StepCounts.Length
        )
        {
            throw new ArgumentException(
                $"Weights [{string.Join(", ", weights.shape)}], gradients [{string.Join(", ", gradients.shape)}] "
                    + $"and {rates.Count} rates; expected [{string.Join(", ", FirstMoment.shape)}] "
                    + $"and {StepCounts.Length} rates.",
                nameof(weights)
            );
        }

        var active = Enumerable.Range(0, rates.Count).Where(user => rates[user] is not null).ToArray();
        if (active.Length == 0)
        {
            return;
        }

        foreach (var user in active)
        {
            StepCounts[user]++;
        }

        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        if (active.Length == rates.Count)
        {
            Update(weights, gradients, FirstMoment, SecondMoment, active, rates);
            return;
        }
        var rows = tensor(Array.ConvertAll(active, user => (long)user), device: weights.device);
        var activeWeights = weights.index_select(0, rows);
        var activeFirst = FirstMoment.index_select(0, rows);
        var activeSecond = SecondMoment.index_select(0, rows);
        Update(activeWeights, gradients.index_select(0, rows), activeFirst, activeSecond, active, rates);
        weights.index_copy_(0, rows, activeWeights);
        FirstMoment.index_copy_(0, rows, activeFirst);
        SecondMoment.index_copy_(0, rows, activeSecond);
    }

    void Update(
        Tensor weights,
        Tensor gradients,
        Tensor first,
        Tensor second,
        int[] active,
        IReadOnlyList<double?> rates
    )
    {
        var decay = CreateColumn(active, user => 1 - rates[user]!.Value * _options.WeightDecay, weights.device);
        var stepSize = CreateColumn(
            active,
            user => rates[user]!.Value / (1 - Math.Pow(_options.Beta1, StepCounts[user])),
            weights.device
        );
        var rootCorrection = CreateColumn(
            active,
            user => 1 / Math.Sqrt(1 - Math.Pow(_options.Beta2, StepCounts[user])),
            weights.device
        );
        if (_options.WeightDecay != 0 && _decayed > 0)
        {
            weights.narrow(1, 0, _decayed).mul_(decay);
        }

        first.mul_(Scalars.Of(_options.Beta1)).add_(gradients, alpha: Scalars.Of(1 - _options.Beta1));
        second.mul_(Scalars.Of(_options.Beta2)).addcmul_(gradients, gradients, Scalars.Of(1 - _options.Beta2));
        var denominator = second.sqrt().mul_(rootCorrection).add_(Scalars.Of(_options.Epsilon), Scalars.One);
        weights.sub_(first.div(denominator).mul_(stepSize));
    }

    static Tensor CreateColumn(int[] users, Func<int, double> value, Device device) =>
        tensor(Array.ConvertAll(users, user => (float)value(user)), [users.Length, 1], device: device);

    public void Dispose()
    {
        FirstMoment.Dispose();
        SecondMoment.Dispose();
    }
}

/// <summary>Constants of <see cref="AdamW"/>; defaults are the reference's.</summary>
public sealed record AdamWOptions
{
    /// <summary>Decay of the first moment.</summary>
    [Range(0.0, 0.999999)]
    public double Beta1
    {
        get;
        init => field = OptionGuard.Check(typeof(AdamWOptions), value);
    } = 0.9;

    /// <summary>Decay of the second moment.</summary>
    [Range(0.0, 0.999999)]
    public double Beta2
    {
        get;
        init => field = OptionGuard.Check(typeof(AdamWOptions), value);
    } = 0.999;

    /// <summary>Added to the root of the second moment.</summary>
    [Range(0.0, double.MaxValue, MinimumIsExclusive = true)]
    public double Epsilon
    {
        get;
        init => field = OptionGuard.Check(typeof(AdamWOptions), value);
    } = 1e-8;

    /// <summary>Decoupled weight decay.</summary>
    [Range(0.0, 1.0)]
    public double WeightDecay
    {
        get;
        init => field = OptionGuard.Check(typeof(AdamWOptions), value);
    } = 0.01;
}

/// <summary>Clipping of gradients by their norm, each user's by its own.</summary>
static class GradientClipping
{
    /// <summary>Euclidean norm of each user's gradient.</summary>
    /// <param name="gradients"><c>[users, weights]</c> float32.</param>
    /// <returns><c>[users]</c> float32, owned by the caller.</returns>
    public static Tensor ComputeNorms(Tensor gradients) => linalg.vector_norm(gradients, 2, [1]);

    /// <summary>
    /// What each user's gradient is multiplied by, as <c>clip_grad_norm_</c> of torch:
    /// <code>min(1, max / (norm + 1e-6))</code>
    /// or 1 where max is 0, as in the trainer of transformers.
    /// </summary>
    /// <param name="norms"><c>[users]</c> float32.</param>
    /// <param name="maxNorm">Largest norm let through; 0 for any.</param>
    /// <returns><c>[users]</c> float32, owned by the caller.</returns>
    public static Tensor ComputeCoefficients(Tensor norms, double maxNorm)
    {
        if (maxNorm == 0)
        {
            return ones_like(norms);
        }

        using var scope = NewDisposeScope();
        return tensor((float)maxNorm, device: norms.device)
            .div(norms.add(Scalars.Of(1e-6), Scalars.One))
            .clamp_max_(Scalars.One)
            .MoveToOuterDisposeScope();
    }
}
