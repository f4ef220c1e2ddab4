using System.Text;

namespace CoPe;

/// <summary>
/// Deterministic numbers from a seed (SplitMix64, Steele et al. 2014): data order and dropout need no state beyond
/// their seed, so a resumed run draws what an undisturbed one would.
/// </summary>
struct SplitMix64(ulong state)
{
    ulong _state = state;

    /// <summary>Mixes a seed with what it is for.</summary>
    public static long Derive(long seed, params ReadOnlySpan<long> purpose)
    {
        var stream = new SplitMix64((ulong)seed);
        var mixed = stream.Next();
        foreach (var part in purpose)
        {
            stream = new SplitMix64(mixed ^ (ulong)part);
            mixed = stream.Next();
        }
        return (long)mixed;
    }

    /// <summary>The seed of one user: of the run's seed and his name alone, whoever trains beside him.</summary>
    public static long DeriveForUser(long seed, string name)
    {
        var hash = 0xcbf29ce484222325UL; // FNV-1a
        foreach (var part in Encoding.UTF8.GetBytes(name))
        {
            hash = (hash ^ part) * 0x100000001b3UL;
        }

        return Derive(seed, (long)hash);
    }

    /// <summary>The next 64 bits.</summary>
    public ulong Next()
    {
        _state += 0x9e3779b97f4a7c15UL;
        var mixed = (_state ^ (_state >> 30)) * 0xbf58476d1ce4e5b9UL;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebUL;
        return mixed ^ (mixed >> 31);
    }

    /// <summary>A number from 0 to <paramref name="count"/> - 1.</summary>
    public int NextBelow(int count) => (int)(((UInt128)Next() * (ulong)count) >> 64);
}

/// <summary>
/// The random numbers of one sample of one request, by position: the number of token <c>t</c> is a hash of seed, sample
/// and <c>t</c> (SplitMix64, Steele et al., 2014).
/// Nothing is carried from draw to draw, so batch mates, order and resuming cannot change a draw.
/// </summary>
/// <param name="Seed">The request's seed.</param>
/// <param name="Sample">The sample's number.</param>
public readonly record struct UniformGenerator(long Seed, int Sample)
{
    /// <summary>
    /// The number in [0, 1), a multiple of 2^-32, with which token <paramref name="position"/> of the answer is drawn.
    /// </summary>
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
