using System.Text.RegularExpressions;

namespace CoPe.Tests;

public sealed class ForeignRegexTests
{
    [Theory]
    [InlineData("(", ")", 100_000, "characters")]
    [InlineData("[a-", "]", 5_000, "characters")]
    [InlineData("(", ")", 4_000, "nested 4000 deep")]
    [InlineData("[a-", "]", 2_000, "nested 2000 deep")]
    [InlineData("(", "", 101, "nested 101 deep")]
    public void A_pattern_that_would_take_long_to_compile_is_refused(
        string open,
        string close,
        int count,
        string reason
    )
    {
        var pattern =
            string.Concat(Enumerable.Repeat(open, count)) + "a" + string.Concat(Enumerable.Repeat(close, count));

        Assert.Contains(
            reason,
            Assert.Throws<ArgumentException>(() => Create(pattern)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Brackets_side_by_side_and_escaped_ones_are_not_nested()
    {
        var pattern = string.Concat(Enumerable.Repeat(@"(a)\(\[[b)]", 1_000));

        Assert.Matches(Create(pattern), string.Concat(Enumerable.Repeat("a([)", 1_000)));
    }

    static Regex Create(string pattern) =>
        ForeignRegex.Create(pattern, RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));
}
