namespace CoPe.Tests;

public class NearestNameTests
{
    [Fact]
    public void A_misspelt_word_has_its_nearest() =>
        Assert.Equal("; did you mean 'beta'?", NearestName.Hint("betta", ["loss", "beta"]));

    [Fact]
    public void A_word_far_from_all_has_no_nearest() => Assert.Equal("", NearestName.Hint("zzzzzz", ["beta", "loss"]));

    [Theory]
    [InlineData("foo", "dpo tam sft", null)]
    [InlineData("--helpp", "--set --help", "--help")]
    [InlineData("--helpp", "--set --seeds", null)]
    [InlineData("tma", "tam sft", "tam")]
    [InlineData("coep", "cope base", "cope")]
    [InlineData("--rest", "--restart --run", "--restart")]
    [InlineData("Users-At_once", "users_at_once", "users_at_once")]
    [InlineData("x", "", null)]
    [InlineData("beta.beta.beta.beta.beta.beta.beta.beta.beta.beta", "beta", null)]
    public void Only_a_slip_of_the_fingers_has_a_suggestion(string found, string known, string? nearest) =>
        Assert.Equal(nearest, NearestName.FindSimilar(found, known.Split(' ', StringSplitOptions.RemoveEmptyEntries)));

    [Theory]
    [InlineData("beta", "beta", 0)]
    [InlineData("bata", "beta", 1)]
    [InlineData("", "abc", 3)]
    [InlineData("kitten", "sitting", 3)]
    public void The_distance_of_names_counts_letters_to_change(string a, string b, int distance) =>
        Assert.Equal(distance, NearestName.LevenshteinDistance(a, b));

    [Fact]
    public void Of_a_name_as_long_as_a_file_the_beginning_is_compared()
    {
        var text = new string('b', 5_000_000);
        Assert.Null(NearestName.FindSimilar(text, ["beta", "loss"]));
        Assert.Equal("loss", NearestName.FindNearest("loss" + text, ["beta", new string('x', 200), "loss"]));
    }
}
