using System.Text.Json;
using CoPe.Tokens;

namespace CoPe.Tests.Tokens;

/// <summary>A text, its ids and what they decode to, as Hugging Face has them: <c>vectors.json</c>.</summary>
sealed record TokenizerVector(
    string Text,
    int[] Ids,
    int[] IdsWithoutSpecial,
    string Decoded,
    string DecodedWithSpecial
)
{
    static readonly JsonSerializerOptions Naming = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>Those beside a tokenizer; at least one.</summary>
    public static TokenizerVector[] Read(string folder)
    {
        var text = File.ReadAllText(Path.Combine(folder, "vectors.json"));
        var vectors = JsonSerializer.Deserialize<TokenizerVector[]>(text, Naming)!;
        Assert.NotEmpty(vectors);
        return vectors;
    }

    /// <summary>Compares a tokenizer with it.</summary>
    public void Check(Tokenizer tokenizer)
    {
        Assert.Equal(Ids, tokenizer.Encode(Text));
        Assert.Equal(IdsWithoutSpecial, tokenizer.Encode(Text, addSpecialTokens: false));
        Assert.Equal(Decoded, tokenizer.Decode(Ids));
        Assert.Equal(DecodedWithSpecial, tokenizer.Decode(Ids, skipSpecialTokens: false));
    }
}
