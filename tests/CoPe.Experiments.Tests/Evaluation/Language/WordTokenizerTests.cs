using CoPe.Experiments.Evaluation.Language;

namespace CoPe.Experiments.Tests.Evaluation.Language;

public class WordTokenizerTests(ITestOutputHelper output)
{
    [Fact]
    public void Golden_texts_are_tokenized_as_nltk_tokenizes_them()
    {
        foreach (var (file, _, pairs) in GoldenPairs.All())
        {
            var differing = 0;
            foreach (var pair in pairs)
            {
                foreach (var side in (string[])["prediction", "reference"])
                {
                    var expected = pair.GetProperty($"{side}_tokens")
                        .EnumerateArray()
                        .Select(token => token.GetString()!);
                    var found = WordTokenizer.Tokenize(pair.Text(side));
                    if (expected.SequenceEqual(found))
                    {
                        continue;
                    }

                    differing++;
                    output.WriteLine($"{pair.Name()} {side}: {string.Join('|', found)}");
                }
            }

            output.WriteLine($"{file}: {2 * pairs.Length} texts, {differing} cut otherwise");
            Assert.True(
                differing <= 0.02 * pairs.Length,
                $"{differing} of {2 * pairs.Length} texts of {file} are cut otherwise."
            );
        }
    }

    [Theory]
    [InlineData("I can't won't cannot", "I ca n't wo n't can not")]
    [InlineData("\"Hi,\" he said (twice).", "`` Hi , '' he said ( twice ) .")]
    [InlineData("it's 3:30, $5.00 -- 10%", "it 's 3:30 , $ 5.00 -- 10 %")]
    [InlineData("wait... what?!", "wait ... what ? !")]
    [InlineData("'tis the dogs' house; gonna *go*", "'t is the dogs ' house ; gon na * go *")]
    [InlineData("the dog'\u017F", "the dog'\u017F")]
    [InlineData("“So” ‘it’ goes", "“ So ” ‘ it ’ goes")]
    [InlineData("", "")]
    public void Words_and_punctuation_are_separate_tokens(string text, string tokens) =>
        Assert.Equal(tokens, string.Join(' ', WordTokenizer.Tokenize(text)));
}

public class UnicodeTextTests
{
    [Theory]
    [InlineData("ΑΣ ΟΔΥΣΣΕΥΣ", "ας οδυσσευς")]
    [InlineData("Σ", "σ")]
    [InlineData("ΑΣ.", "ας.")]
    [InlineData("ΑΣ.Α", "ασ.α")]
    [InlineData("İ", "i\u0307")]
    [InlineData("\u212A", "k")]
    [InlineData("Straße", "straße")]
    public void Letters_are_lowercased_as_unicode_says(string text, string lower) =>
        Assert.Equal(lower, UnicodeText.ToLower(text));
}
