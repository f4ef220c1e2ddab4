namespace CoPe.Tests;

public class NearestNameTests
{
    [Fact]
    public void A_misspelt_word_has_its_nearest() =>
        Assert.Equal("; did you mean 'beta'?", NearestName.Hint("betta", ["loss", "beta"]));

    [Fact]
    public void A_word_far_from_all_has_no_nearest() => Assert.Equal("", NearestName.Hint("zzzzzz", ["beta", "loss"]));

    [Theory]
    [InlineData("beta", "beta", 0)]
    [InlineData("bata", "beta", 1)]
    [InlineData("", "abc", 3)]
    [InlineData("kitten", "sitting", 3)]
    public void The_distance_of_names_counts_letters_to_change(string a, string b, int distance) =>
        Assert.Equal(distance, NearestName.LevenshteinDistance(a, b));
}
