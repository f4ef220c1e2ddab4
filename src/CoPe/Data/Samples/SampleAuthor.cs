namespace CoPe.Data.Samples;

/// <summary>An invented author: at every choice of style he has a favourite, a second one, and now and then an exception.</summary>
sealed class SampleAuthor(ulong seed)
{
    const double FavouriteShare = 0.75, SecondShare = 0.17;

    /// <summary>Which of a symbol's alternatives he takes this time.</summary>
    public int Choose(string symbol, int count, SampleDraw draw)
    {
        var habit = new SampleDraw(SampleDraw.Seed(seed, symbol));
        var favourite = habit.Next(count);
        var second = habit.Next(count);
        return draw.Unit() switch
        {
            < FavouriteShare => favourite,
            < FavouriteShare + SecondShare => second,
            _ => draw.Next(count),
        };
    }
}
