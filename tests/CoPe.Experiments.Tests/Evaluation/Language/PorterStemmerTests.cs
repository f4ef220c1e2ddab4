using CoPe.Experiments.Evaluation.Language;

namespace CoPe.Experiments.Tests.Evaluation.Language;

public class PorterStemmerTests(ITestOutputHelper output)
{
    [Fact]
    public void Every_golden_word_has_the_stem_of_nltk()
    {
        foreach (var (file, root) in GoldenPairs.Files("stem_wordnet*.json"))
        {
            var words = root.GetProperty("porter").EnumerateObject().ToList();
            foreach (var word in words)
            {
                Assert.Equal(
                    $"{word.Name} -> {word.Value.GetString()}",
                    $"{word.Name} -> {PorterStemmer.Stem(word.Name)}"
                );
            }

            output.WriteLine($"{file}: {words.Count} words");
        }
    }

    [Theory]
    [InlineData("dies", "die")]
    [InlineData("flies", "fli")]
    [InlineData("died", "die")]
    [InlineData("spied", "spi")]
    [InlineData("agreed", "agre")]
    [InlineData("feed", "feed")]
    [InlineData("hopping", "hop")]
    [InlineData("falling", "fall")]
    [InlineData("filing", "file")]
    [InlineData("enjoy", "enjoy")]
    [InlineData("happy", "happi")]
    [InlineData("by", "by")]
    [InlineData("radically", "radic")]
    [InlineData("archaeology", "archaeolog")]
    [InlineData("adoption", "adopt")]
    [InlineData("controlling", "control")]
    [InlineData("News", "news")]
    [InlineData("", "")]
    public void A_word_has_the_stem_that_the_rules_give(string word, string stem) =>
        Assert.Equal(stem, PorterStemmer.Stem(word));
}
