using CoPe.Runs.Recipes;

namespace CoPe.Tests.Runs.Recipes;

public class NearestTests
{
    [Theory]
    [InlineData("", "", 0)]
    [InlineData("abc", "", 3)]
    [InlineData("kitten", "sitting", 3)] // k>s, e>i, +g
    [InlineData("beta", "betta", 1)]
    public void Distance_counts_single_letter_edits(string from, string to, int distance)
    {
        Assert.Equal(distance, Nearest.Distance(from, to));
        Assert.Equal(distance, Nearest.Distance(to, from));
    }

    [Fact]
    public void A_word_far_from_all_has_no_nearest() => Assert.Null(Nearest.Of("zzzzzz", ["beta", "loss"]));
}
