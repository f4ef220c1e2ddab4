using System.Text.Json;
using CoPe.Tokens;

namespace CoPe.Tests.Tokens;

/// <summary>Equality with the Rust library, string by string.</summary>
public class TokenizerVectorTests(ITestOutputHelper output)
{
    sealed record Vector(string Text, int[] Ids, int[] IdsWithoutSpecial, string Decoded, string DecodedWithSpecial);

    static readonly JsonSerializerOptions Naming = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    [Theory]
    [MemberData(nameof(TokenizerFolders.WithVectors), MemberType = typeof(TokenizerFolders))]
    public void Ids_and_text_equal_those_of_Hugging_Face(string folder)
    {
        var (tokenizer, vectors) = Read(folder);
        output.WriteLine($"{folder}: {vectors.Length} texts");
        Assert.All(vectors, vector =>
        {
            Assert.Equal(vector.Ids, tokenizer.Encode(vector.Text));
            Assert.Equal(vector.IdsWithoutSpecial, tokenizer.Encode(vector.Text, addSpecialTokens: false));
            Assert.Equal(vector.Decoded, tokenizer.Decode(vector.Ids));
            Assert.Equal(vector.DecodedWithSpecial, tokenizer.Decode(vector.Ids, skipSpecialTokens: false));
        });
    }

    [Theory]
    [MemberData(nameof(TokenizerFolders.WithVectors), MemberType = typeof(TokenizerFolders))]
    public void A_stream_gives_the_same_text_in_whole_characters(string folder)
    {
        var (tokenizer, vectors) = Read(folder);
        Assert.All(vectors, vector =>
        {
            var decoder = tokenizer.StartDecoding();
            var parts = vector.Ids.Select(decoder.Add).ToList();
            parts.Add(decoder.Finish());
            Assert.Equal(vector.Decoded, string.Concat(parts));
            Assert.DoesNotContain(parts, part => part.Length > 0 && (char.IsHighSurrogate(part[^1]) || char.IsLowSurrogate(part[0])));
        });
    }

    static (Tokenizer, Vector[]) Read(string folder) => (Tokenizer.Load(folder),
        JsonSerializer.Deserialize<Vector[]>(File.ReadAllText(Path.Combine(folder, "vectors.json")), Naming)!);
}
