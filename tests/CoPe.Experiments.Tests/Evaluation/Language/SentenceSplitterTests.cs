using CoPe.Experiments.Evaluation.Language;

namespace CoPe.Experiments.Tests.Evaluation.Language;

public class SentenceSplitterTests
{
    [Theory]
    [InlineData("Mr. Smith went to Washington. He didn't like it.", "Mr. Smith went to Washington.|He didn't like it.")]
    [InlineData("It rose to 3.5 in 2010. the rest fell.", "It rose to 3.5 in 2010. the rest fell.")]
    [InlineData("It rose in 2010. The rest fell.", "It rose in 2010.|The rest fell.")]
    [InlineData("findings in the U.S. and in Europe.", "findings in the U.S. and in Europe.")]
    [InlineData("We left the U.S. The rest stayed.", "We left the U.S.|The rest stayed.")]
    [InlineData("by J. K. Rowling and S. Lee. Good!", "by J. K. Rowling and S. Lee.|Good!")]
    [InlineData("So did I. The rest slept.", "So did I.|The rest slept.")]
    [InlineData("methods, e.g. retrieval", "methods, e.g.|retrieval")]
    [InlineData("Gov. Lee met Gen. Fox on Jan. 5 at 6 p.m. sharp.", "Gov.|Lee met Gen. Fox on Jan. 5 at 6 p.m. sharp.")]
    [InlineData("as Smith et al. show, i.e. twice", "as Smith et al.|show, i.e.|twice")]
    [InlineData("He said \"go.\" Then he left.", "He said \"go.\"|Then he left.")]
    [InlineData("(It works.) We are glad.", "(It works.)|We are glad.")]
    [InlineData("I don't know... I have a job.", "I don't know...|I have a job.")]
    [InlineData("well... maybe", "well... maybe")]
    [InlineData("Really?! Yes", "Really?!|Yes")]
    [InlineData("one\ntwo", "one\ntwo")]
    [InlineData("  spaced. Out.  ", "  spaced.|Out.")]
    [InlineData("", "")]
    [InlineData("   ", "")]
    [InlineData("...", "...")]
    public void Sentences_end_where_punkt_ends_them(string text, string sentences) =>
        Assert.Equal(sentences, string.Join('|', SentenceSplitter.Split(text)));

    [Fact]
    public void Any_text_is_split_into_parts_of_itself_in_order()
    {
        var random = new Random(3);
        const string Alphabet = "aB1 .?!\"')(\n-,;…🎉";
        for (var round = 0; round < 2000; round++)
        {
            var text = string.Concat(
                Enumerable.Range(0, random.Next(40)).Select(_ => Alphabet[random.Next(Alphabet.Length)])
            );
            var at = 0;
            foreach (var sentence in SentenceSplitter.Split(text))
            {
                var place = text.IndexOf(sentence, at, StringComparison.Ordinal);
                Assert.True(
                    place >= 0 && text[at..place].All(char.IsWhiteSpace),
                    $"'{text}' lost what stands before '{sentence}'."
                );
                at = place + sentence.Length;
            }
            Assert.True(text[at..].All(char.IsWhiteSpace), $"'{text}' lost '{text[at..]}'.");
        }
    }
}
