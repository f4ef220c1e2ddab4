using CoPe.Chat;
using CoPe.Gguf;
using CoPe.Modeling;
using CoPe.Tokens.Pipeline;

namespace CoPe.Decoding;

/// <summary>
/// Whether every token that a text or a prompt can have has a row in a model's embedding. Special tokens that nothing
/// here writes may lie beyond it, as an image's does in text models that were cut out of larger ones.
/// </summary>
static class TokenizerFit
{
    /// <summary>What lies beyond the embedding; null where nothing does.</summary>
    public static string? Describe(ConversationEncoder encoder, DecoderConfig config)
    {
        var tokenizer = encoder.Tokenizer;
        List<int> beyond =
        [
            .. Enumerable
                .Range(config.VocabSize, Math.Max(0, tokenizer.VocabularySize - config.VocabSize))
                .Where(id => tokenizer.IdToToken(id) is not null && !tokenizer.IsSpecial(id)),
            .. FindWritten(encoder).Where(id => id >= config.VocabSize),
        ];
        if (beyond.Count == 0)
        {
            return null;
        }

        var first = beyond.Min();
        var ids = beyond.Distinct().Count();
        var tokens = ids == 1 ? "a token" : $"{ids} tokens";
        return $"config.json has {config.VocabSize} rows, tokenizer.json {tokens} beyond, the first "
            + $"{tokenizer.IdToToken(first)} with id {first}";
    }

    /// <summary>Refuses a tokenizer that has such tokens.</summary>
    /// <param name="folder">The model folder, for the message.</param>
    /// <param name="encoder">Its tokenizer.</param>
    /// <param name="config">Its configuration.</param>
    /// <exception cref="TokenizerException">Tokens have no row in the embedding.</exception>
    public static void Check(string folder, ConversationEncoder encoder, DecoderConfig config)
    {
        if (Describe(encoder, config) is { } problem)
        {
            throw new TokenizerException(
                GgufFile.IsNamed(folder) ? folder : Path.Combine(folder, "tokenizer.json"),
                "",
                $"does not belong to the model: {problem}; take the tokenizer that the model was "
                    + "trained with, or give the model rows for these tokens"
            );
        }
    }

    /// <summary>Ids that every conversation has, and those that the configuration gives a role.</summary>
    static IEnumerable<int> FindWritten(ConversationEncoder encoder)
    {
        List<int?> ids = [encoder.Tokenizer.BosId, encoder.Tokenizer.EosId];
        try
        {
            ids.AddRange(encoder.EncodePrompt([new ChatMessage("user", "x")]).Select(id => (int?)id));
            ids.AddRange(encoder.EncodeResponse("x").Select(id => (int?)id));
        }
        catch (Exception error) when (error is ChatTemplateException or TokenizerException)
        {
            // Whoever needs the template, or an end, is told in its own words.
        }

        return ids.OfType<int>();
    }
}
