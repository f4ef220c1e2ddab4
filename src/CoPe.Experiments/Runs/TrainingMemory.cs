using CoPe.Experiments.Runs.Recipes;
using CoPe.Kernels.Threads;
using CoPe.Modeling;
using TorchSharp;

namespace CoPe.Experiments.Runs;

/// <summary>How much of a training fits into this machine's memory.</summary>
static class TrainingMemory
{
    /// <summary>
    /// Bytes of activations per token, layer and hidden unit that a training step keeps, measured in bf16 at the 0.5B
    /// shape (docs/performance.md).
    /// </summary>
    const double BytesPerUnit = 108;

    /// <summary>Share of the memory that activations may take.</summary>
    const double Share = 0.25;

    const int MinTokensPerPass = 512;

    /// <summary>Passes do not get faster beyond it.</summary>
    const int MaxTokensPerPass = 2048;

    const int MaxUsersAtOnce = 64;

    /// <summary>
    /// Tokens of one pass through the model: <c>share * memory / (108 * layers * hidden * passes at once)</c>, between
    /// 512 and 2048; unless the recipe says.
    /// It depends on the machine's whole memory, not on what is free, so that a run repeats itself.
    /// </summary>
    public static int ChooseTokensPerPass(CausalLm model, TrainingSection settings) =>
        settings.TokensPerPass ?? ChooseTokensPerPass(model.Config, CountParallelPasses(model));

    /// <summary>The same for a model that is not loaded, where the recipe does not say.</summary>
    public static int ChooseTokensPerPass(ModelInfo model, WeightDtype dtype, torch.Device device)
    {
        var bytes = ModelLoader.CountWeightBytes(model, dtype, device);
        return ChooseTokensPerPass(model.Config, TorchThreads.CountForPasses(device, bytes));
    }

    static int ChooseTokensPerPass(DecoderConfig config, int parallelPasses)
    {
        var memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        var unitsPerToken = config.LayerCount * config.HiddenSize;
        var tokens = Share * memory / (BytesPerUnit * unitsPerToken * parallelPasses);
        return (int)Math.Clamp(tokens, MinTokensPerPass, MaxTokensPerPass);
    }

    /// <summary>Users whose batches fill the passes that run in parallel.</summary>
    /// <param name="model">The model.</param>
    /// <param name="tokensPerPass">Tokens of a pass.</param>
    /// <param name="batchSize">Examples of a user's batch.</param>
    /// <param name="lengths">Tokens of each example.</param>
    public static int ChooseUsersAtOnce(CausalLm model, int tokensPerPass, int batchSize, IEnumerable<int> lengths)
    {
        var tokensPerExample = lengths.DefaultIfEmpty(1).Average();
        var tokensPerUser = Math.Max(1, batchSize * tokensPerExample);
        var tokensAtOnce = CountParallelPasses(model) * tokensPerPass;
        return (int)Math.Clamp(tokensAtOnce / tokensPerUser, 1, MaxUsersAtOnce);
    }

    static int CountParallelPasses(CausalLm model) => TorchThreads.CountForPasses(model.Device, model.Weights.Bytes);
}
