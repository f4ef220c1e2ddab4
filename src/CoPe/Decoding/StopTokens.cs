using CoPe.Chat;
using CoPe.Modeling;
using CoPe.Tokens.Pipeline;

namespace CoPe.Decoding;

/// <summary>
/// The tokens after which an answer is over. Two files know them: the model's configuration, and the tokenizer's with
/// its chat template. Either may leave out what the other has, so both count.
/// </summary>
public static class StopTokens
{
    /// <summary>The ids of both, in order.</summary>
    /// <exception cref="TokenizerException">Neither names one: an answer would never end.</exception>
    public static IReadOnlyList<int> Find(DecoderConfig config, ConversationEncoder encoder)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(encoder);
        int[] ids = [.. config.StopTokenIds.Union(encoder.StopTokenIds).Order()];
        return ids.Length > 0
            ? ids
            : throw new TokenizerException(
                "tokenizer_config.json",
                "eos_token",
                "is missing, and neither the chat template nor config.json says how an answer ends; "
                    + "name the token that ends a text"
            );
    }
}
