using CoPe.Negatives;

namespace CoPe.Tests.Negatives;

public class BorrowedNegativesTests
{
    static readonly OtherText[] Texts =
    [
        new("me", "graph cuts for vision", "My own text"),
        new("ann", "graph cuts for vision", "Same Gold"),
        new("ann", "cooking with beans", "Beans"),
        new("bob", "vision by graph search", "Graphs"),
        new("bob", "sorting networks", "Sorting"),
    ];

    static readonly CandidateItem Item = new("me", "p1", [1], "same gold ");

    [Fact]
    public void The_similar_one_is_nearest_by_words_of_the_input_and_never_the_users_own_or_the_same_text() =>
        Assert.Equal("Graphs", new BorrowedNegatives(Texts).Similar(Item, "Graph cuts for vision")!.Text);

    [Fact]
    public void The_random_one_is_drawn_by_the_items_seed_among_others_texts()
    {
        var borrowed = new BorrowedNegatives(Texts);
        var drawn = Enumerable.Range(0, 60).Select(i => borrowed.Random(Item with { ItemId = $"p{i}" }, 5)!.Text).ToList();
        Assert.Equal(drawn, Enumerable.Range(0, 60).Select(i => borrowed.Random(Item with { ItemId = $"p{i}" }, 5)!.Text));
        Assert.Equal(["Beans", "Graphs", "Sorting"], drawn.Distinct().Order());
    }

    [Fact]
    public void Nobody_else_gives_nothing()
    {
        var alone = new BorrowedNegatives(Texts[..1]);
        Assert.Null(alone.Random(Item, 1));
        Assert.Null(alone.Similar(Item, "graph"));
    }

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
