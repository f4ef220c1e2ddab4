namespace CoPe.Decoding;

/// <summary>
/// The random numbers of one sample of one request, by position: the number of token <c>t</c> is a hash of seed, sample and <c>t</c> (SplitMix64, Steele et al., 2014).
/// Nothing is carried from draw to draw, so batch mates, order and resuming cannot change a draw.
/// </summary>
/// <param name="Seed">The request's seed.</param>
/// <param name="Sample">The sample's number.</param>
public readonly record struct UniformSequence(long Seed, int Sample)
{
    /// <summary>The number in [0, 1), a multiple of 2^-32, with which token <paramref name="position"/> of the answer is drawn.</summary>
    public double At(int position)
    {
        var stream = Mix((ulong)Seed + Mix((ulong)Sample));
        return (Mix(stream + (ulong)position) >> 32) / 4294967296.0;
    }

    static ulong Mix(ulong value)
    {
        value += 0x9E3779B97F4A7C15;
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
