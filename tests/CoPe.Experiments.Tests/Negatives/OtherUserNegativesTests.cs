using CoPe.Experiments.Negatives;

namespace CoPe.Experiments.Tests.Negatives;

public class OtherUserNegativesTests
{
    static readonly OtherUserText[] Texts =
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
        Assert.Equal("Graphs", new OtherUserNegatives(Texts).FindSimilar(Item, "Graph cuts for vision")!.Text);

    [Fact]
    public void The_random_one_is_drawn_by_the_items_seed_among_others_texts()
    {
        var borrowed = new OtherUserNegatives(Texts);
        var drawn = Enumerable
            .Range(0, 60)
            .Select(i => borrowed.DrawRandom(Item with { ItemId = $"p{i}" }, 5)!.Text)
            .ToList();
        Assert.Equal(
            drawn,
            Enumerable.Range(0, 60).Select(i => borrowed.DrawRandom(Item with { ItemId = $"p{i}" }, 5)!.Text)
        );
        Assert.Equal(["Beans", "Graphs", "Sorting"], drawn.Distinct().Order());
    }

    [Fact]
    public void Nobody_else_gives_nothing()
    {
        var alone = new OtherUserNegatives(Texts[..1]);
        Assert.Null(alone.DrawRandom(Item, 1));
        Assert.Null(alone.FindSimilar(Item, "graph"));
    }
}
