using CoPe.Kernels;
using static TorchSharp.torch;

namespace CoPe.Training;

/// <summary>
/// AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101, algorithm 2) for several users at once: weights are <c>[users, weights]</c> and each user has
/// a learning rate and a step count of his own. A user who does not take a step keeps weights and moments to the bit.
/// <code>
/// w *= 1 - rate * decay;  m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2
/// w -= rate / (1 - b1^t) * m / (sqrt(v) / sqrt(1 - b2^t) + epsilon)
/// </code>
/// </summary>
public sealed class AdamW : IDisposable
{
    readonly AdamWOptions options;
    readonly long decayed;

    /// <summary>Moments of zero for <paramref name="users"/> users with <paramref name="width"/> weights each, of which the first <paramref name="decayed"/> decay.</summary>
    public AdamW(int users, long width, long decayed, AdamWOptions options, Device? device = null)
    {
        if (decayed < 0 || decayed > width) throw new ArgumentOutOfRangeException(nameof(decayed), $"{decayed} of {width} weights cannot decay; expected between 0 and {width}.");
        this.options = options;
        this.decayed = decayed;
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
    /// <param name="rates">Each user's learning rate; null leaves the user as he is.</param>
    /// <exception cref="ArgumentException">A shape is not that of the moments.</exception>
    public void Step(Tensor weights, Tensor gradients, IReadOnlyList<double?> rates)
    {
        if (!weights.shape.SequenceEqual(FirstMoment.shape) || !gradients.shape.SequenceEqual(FirstMoment.shape) || rates.Count != StepCounts.Length)
            throw new ArgumentException($"Weights [{string.Join(", ", weights.shape)}], gradients [{string.Join(", ", gradients.shape)}] and {rates.Count} rates; expected [{string.Join(", ", FirstMoment.shape)}] and {StepCounts.Length} rates.", nameof(weights));
        var active = Enumerable.Range(0, rates.Count).Where(user => rates[user] is not null).ToArray();
        if (active.Length == 0) return;
        foreach (var user in active) StepCounts[user]++;
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        if (active.Length == rates.Count)
        {
            Update(weights, gradients, FirstMoment, SecondMoment, active, rates);
            return;
        }
        var rows = tensor(Array.ConvertAll(active, user => (long)user), device: weights.device);
        Tensor[] whole = [weights, FirstMoment, SecondMoment];
        var part = Array.ConvertAll(whole, all => all.index_select(0, rows));
        Update(part[0], gradients.index_select(0, rows), part[1], part[2], active, rates);
        for (var i = 0; i < whole.Length; i++) whole[i].index_copy_(0, rows, part[i]);
    }

    void Update(Tensor weights, Tensor gradients, Tensor first, Tensor second, int[] active, IReadOnlyList<double?> rates)
    {
        var decay = Column(active, user => 1 - rates[user]!.Value * options.WeightDecay, weights.device);
        var stepSize = Column(active, user => rates[user]!.Value / (1 - Math.Pow(options.Beta1, StepCounts[user])), weights.device);
        var rootCorrection = Column(active, user => 1 / Math.Sqrt(1 - Math.Pow(options.Beta2, StepCounts[user])), weights.device);
        if (options.WeightDecay != 0 && decayed > 0) weights.narrow(1, 0, decayed).mul_(decay);
        first.mul_(Scalars.Of(options.Beta1)).add_(gradients, alpha: Scalars.Of(1 - options.Beta1));
        second.mul_(Scalars.Of(options.Beta2)).addcmul_(gradients, gradients, Scalars.Of(1 - options.Beta2));
        var denominator = second.sqrt().mul_(rootCorrection).add_(Scalars.Of(options.Epsilon), Scalars.One);
        weights.sub_(first.div(denominator).mul_(stepSize));
    }

    static Tensor Column(int[] users, Func<int, double> value, Device device) =>
        tensor(Array.ConvertAll(users, user => (float)value(user)), [users.Length, 1], device: device);

    /// <inheritdoc/>
    public void Dispose()
    {
        FirstMoment.Dispose();
        SecondMoment.Dispose();
    }
}
