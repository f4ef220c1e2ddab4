namespace CoPe.Tokens.Pipeline;

/// <summary>Everything that tokenizer.json says, read into the parts that do the work. Its truncation and padding settings are left to the caller, as in transformers.</summary>
internal sealed record TokenizerFile
{
    public required IReadOnlyList<AddedToken> AddedTokens { get; init; }
    public required Func<string, bool, string> Normalize { get; init; }
    public required PreTokenizer PreTokenizer { get; init; }
    public required BpeVocabulary Vocabulary { get; init; }
    public required SpecialTokenTemplate SpecialTokens { get; init; }
    public required TokenDecoder Decoder { get; init; }

    public static TokenizerFile Read(string file)
    {
        if (!File.Exists(file)) throw new TokenizerException(file, "", "is missing; a model folder in Hugging Face layout with a tokenizer.json was expected");
        var root = JsonPart.Read(file);
        var added = root["added_tokens"];
        return new TokenizerFile
        {
            AddedTokens = added.IsAbsent ? [] : [.. added.Items().Select(ReadAdded)],
            Normalize = Normalizer.Read(root["normalizer"]),
            PreTokenizer = PreTokenizer.Read(root["pre_tokenizer"]),
            Vocabulary = BpeVocabulary.Read(root["model"]),
            SpecialTokens = SpecialTokenTemplate.Read(root["post_processor"]),
            Decoder = TokenDecoder.Read(root["decoder"]),
        };
    }

    static AddedToken ReadAdded(JsonPart part)
    {
        var token = AddedToken.Read(part);
        return token.Id is >= 0 and <= BpeVocabulary.MaxId ? token : throw part.Fail($"has the id {token.Id}; 0 to {BpeVocabulary.MaxId} was expected");
    }
}
