using System.Text;

namespace CoPe.Training;

/// <summary>Deterministic numbers from a seed (SplitMix64, Steele et al. 2014): data order and dropout need no state beyond their seed, so a resumed run draws what an undisturbed one would.</summary>
internal struct SeedStream(ulong state)
{
    ulong state = state;

    /// <summary>Mixes a seed with what it is for.</summary>
    public static long Derive(long seed, params ReadOnlySpan<long> purpose)
    {
        var stream = new SeedStream((ulong)seed);
        var mixed = stream.Next();
        foreach (var part in purpose)
        {
            stream = new SeedStream(mixed ^ (ulong)part);
            mixed = stream.Next();
        }
        return (long)mixed;
    }

    /// <summary>The seed of one user: of the run's seed and his name alone, whoever trains beside him.</summary>
    public static long OfUser(long seed, string name)
    {
        var hash = 0xcbf29ce484222325UL; // FNV-1a
        foreach (var part in Encoding.UTF8.GetBytes(name)) hash = (hash ^ part) * 0x100000001b3UL;
        return Derive(seed, (long)hash);
    }

    /// <summary>The next 64 bits.</summary>
    public ulong Next()
    {
        state += 0x9e3779b97f4a7c15UL;
        var mixed = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9UL;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebUL;
        return mixed ^ (mixed >> 31);
    }

    /// <summary>A number from 0 to <paramref name="count"/> - 1.</summary>
    public int Below(int count) => (int)(((UInt128)Next() * (ulong)count) >> 64);
}
