using CoPe.Data;

namespace CoPe.Tests.Data;

public class Bm25Tests
{
    [Fact]
    public void Bm25_is_the_formula()
    {
        // Two texts of lengths 2 and 4, mean 3. "b" stands in both: idf = ln(1 + .5/2.5); "a" in the first: idf = ln(1 + 1.5/1.5).
        var scores = new Bm25(["a b", "B, b; c d"]).Scores("a b b");
        var (idfA, idfB) = (Math.Log(2), Math.Log(1.2));
        var (first, second) = (1.5 * (.25 + .75 * 2 / 3), 1.5 * (.25 + .75 * 4 / 3));
        Assert.Equal((idfA + idfB) * 2.5 / (1 + first), scores[0], 12);
        Assert.Equal(idfB * 2 * 2.5 / (2 + second), scores[1], 12);
        Assert.Equal([0, 0], new Bm25(["", ""]).Scores("a"));
    }
}
