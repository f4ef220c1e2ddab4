using CoPe.Runs.Recipes;

namespace CoPe.Tests.Runs.Recipes;

public class NearestTests
{
    [Fact]
    public void A_misspelt_word_has_its_nearest() => Assert.Equal("; did you mean 'beta'?", Nearest.Hint("betta", ["loss", "beta"]));

    [Fact]
    public void A_word_far_from_all_has_no_nearest() => Assert.Equal("", Nearest.Hint("zzzzzz", ["beta", "loss"]));
}
