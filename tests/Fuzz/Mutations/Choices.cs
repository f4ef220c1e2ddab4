namespace CoPe.Fuzz.Mutations;

/// <summary>Choices that follow from a seed alone, so that an input can be made again.</summary>
/// <param name="seed">The seed.</param>
sealed class Choices(ulong seed)
{
    SplitMix64 _numbers = new(seed);

    /// <summary>A number from 0 to <paramref name="count"/> - 1; 0 where there is none.</summary>
    public int Below(int count) => count <= 1 ? 0 : _numbers.NextBelow(count);

    /// <summary>True once in <paramref name="count"/> times.</summary>
    public bool OneIn(int count) => Below(count) == 0;

    public T Pick<T>(IReadOnlyList<T> items) => items[Below(items.Count)];

    /// <summary>A length: mostly a few, now and then many, never more than <paramref name="most"/>.</summary>
    public int Length(int most)
    {
        var range = Below(8) switch
        {
            < 5 => 8,
            < 7 => 64,
            _ => most,
        };
        return Below(Math.Min(range, most) + 1);
    }
}
