using CoPe.Evaluation.Language;

namespace CoPe.Tests.Evaluation.Language;

public class LowercaseTests
{
    [Theory]
    [InlineData("ΑΣ ΟΔΥΣΣΕΥΣ", "ας οδυσσευς")]
    [InlineData("Σ", "σ")]
    [InlineData("ΑΣ.", "ας.")]
    [InlineData("ΑΣ.Α", "ασ.α")]
    [InlineData("İ", "i\u0307")]
    [InlineData("\u212A", "k")]
    [InlineData("Straße", "straße")]
    public void Letters_fall_as_unicode_says(string text, string lower) => Assert.Equal(lower, Lowercase.Of(text));
}
