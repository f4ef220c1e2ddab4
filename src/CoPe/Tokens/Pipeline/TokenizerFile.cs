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
        var vocabulary = BpeVocabulary.Read(root["model"]);
        return new TokenizerFile
        {
            AddedTokens = added.IsAbsent ? [] : [.. added.Items().Select(part => ReadAdded(part, vocabulary))],
            Normalize = Normalizer.Read(root["normalizer"]),
            PreTokenizer = PreTokenizer.Read(root["pre_tokenizer"]),
            Vocabulary = vocabulary,
            SpecialTokens = SpecialTokenTemplate.Read(root["post_processor"]),
            Decoder = TokenDecoder.Read(root["decoder"]),
        };
    }

    static AddedToken ReadAdded(JsonPart part, BpeVocabulary vocabulary)
    {
        var token = AddedToken.Read(part);
        if (token.Id is < 0 or > BpeVocabulary.MaxId) throw part.Fail($"has the id {token.Id}; 0 to {BpeVocabulary.MaxId} was expected");
        if (vocabulary.Ids.TryGetValue(token.Content, out var id) && id != token.Id)
            throw part.Fail($"gives \"{token.Content}\" the id {token.Id}, but model.vocab gives it {id}");
        return token;
    }
}
