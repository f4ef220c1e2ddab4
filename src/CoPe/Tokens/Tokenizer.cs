namespace CoPe.Tokens;

/// <summary>A byte-pair tokenizer read from Hugging Face's tokenizer.json.</summary>
public sealed class Tokenizer
{
    /// <summary>Reads <c>tokenizer.json</c> and, where present, <c>tokenizer_config.json</c> of a folder.</summary>
    public static Tokenizer Load(string folder) => throw new NotImplementedException();

    /// <summary>Number of ids, added tokens included.</summary>
    public int VocabularySize => throw new NotImplementedException();

    /// <summary>Ids of a text. <paramref name="addSpecialTokens"/> runs the post-processor (BOS); special tokens standing in the text become their ids, as in Hugging Face.</summary>
    public int[] Encode(string text, bool addSpecialTokens = true) => throw new NotImplementedException();

    /// <summary>Ids of a text in which special-token text is only text: a user's words cannot break out of their turn.</summary>
    public int[] EncodeAsText(string text) => throw new NotImplementedException();

    /// <summary>Text of ids; ids without a token are skipped.</summary>
    public string Decode(IEnumerable<int> ids, bool skipSpecialTokens = true) => throw new NotImplementedException();
}
