namespace CoPe.Data.Samples;

/// <summary>A stream of chance that is the same on every machine and runtime (SplitMix64).</summary>
sealed class SampleDraw(ulong seed)
{
    ulong state = seed;

    /// <summary>A seed made of another and of a name.</summary>
    public static ulong Seed(ulong seed, string name)
    {
        var hash = seed ^ 0xCBF29CE484222325;
        foreach (var letter in name) hash = (hash ^ letter) * 0x100000001B3; // FNV-1a
        return new SampleDraw(hash).Bits();
    }

    /// <summary>A whole number from 0 to below the bound.</summary>
    public int Next(int bound) => (int)(Unit() * bound);

    /// <summary>A number from 0 to below 1.</summary>
    public double Unit() => (Bits() >> 11) * (1.0 / (1UL << 53));

    ulong Bits()
    {
        var bits = state += 0x9E3779B97F4A7C15;
        bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9;
        bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB;
        return bits ^ (bits >> 31);
    }
}
