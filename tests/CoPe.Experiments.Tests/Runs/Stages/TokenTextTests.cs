using CoPe.Experiments.Runs.Stages;
using CoPe.Tokens;

namespace CoPe.Experiments.Tests.Runs.Stages;

public class TokenTextTests
{
    static readonly Tokenizer Tokenizer = Tokenizer.Load(Path.Combine(AppContext.BaseDirectory, "models", "cope-tiny"));

    [Theory]
    [InlineData("A headline about rain")]
    [InlineData("So happy 🎉👨‍👩‍👧 today")]
    [InlineData("مرحبا بكم")]
    public void Pieces_are_the_text_without_broken_characters_and_cover_every_id(string text)
    {
        var ids = Tokenizer.EncodeAsText(text);
        var pieces = TokenTexts.Split(Tokenizer, ids);

        Assert.Equal(Tokenizer.Decode(ids), string.Concat(pieces.Select(piece => piece.Text)));
        Assert.DoesNotContain(pieces, piece => piece.Text.Contains('�'));
        Assert.Equal(
            Enumerable.Range(0, ids.Length),
            pieces.SelectMany(piece => Enumerable.Range(piece.First, piece.Count))
        );
    }

    [Fact]
    public void Another_id_is_spelled_as_it_would_stand_in_the_answer()
    {
        var ids = Tokenizer.EncodeAsText("A headline about rain");
        var pieces = TokenTexts.Split(Tokenizer, ids);
        Assert.All(
            pieces,
            piece => Assert.Equal(piece.Text, TokenTexts.GetTextAfter(Tokenizer, ids, piece.First, ids[piece.First]))
        );
    }
}
