using CoPe.Decoding;
using CoPe.Kernels;
using CoPe.Modeling;
using CoPe.Runs.Recipes;

namespace CoPe.Runs.Stages;

/// <summary>How many items to decode between two writes to the disk.</summary>
static class PortionSize
{
    /// <summary>Tokens that each row of a running batch generates in a portion, about: a large model takes a second or more for one, a small model a hundredth.</summary>
    const int TokensOfSmall = 1600, TokensOfLarge = 400;

    /// <summary>
    /// Items that fill the running batches several times over, so that the last ones of a portion, which leave rows idle, cost little:
    /// <code>batches * rows / rows per item * clamp(tokens / new tokens, 1, 16)</code>
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="settings">The recipe's rows.</param>
    /// <param name="rowsPerItem">Rows that an item takes.</param>
    /// <param name="maxNewTokens">Most tokens of an answer.</param>
    public static int Of(CausalLm model, DecodeSettings settings, int rowsPerItem, int maxNewTokens)
    {
        var batches = TorchThreads.ForPasses(model.Device, model.Weights.Bytes);
        var waves = Math.Clamp((batches > 1 ? TokensOfSmall : TokensOfLarge) / maxNewTokens, 1, 16);
        return Math.Max(1, waves * batches * (settings.MaxRows ?? new EngineOptions().MaxRows) / rowsPerItem);
    }
}
