using CoPe.Experiments.Runs.Recipes;
using CoPe.Kernels.Threads;
using CoPe.Modeling;

namespace CoPe.Experiments.Runs.Stages;

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

    /// <summary>
    /// Tokens of one pass through the model: <c>share * memory / (108 * layers * hidden * passes at once)</c>, between
    /// 512 and 2048, beyond which passes do not get faster; unless the recipe says.
    /// It depends on the machine's whole memory, not on what is free, so that a run repeats itself.
    /// </summary>
    public static int ChooseTokensPerPass(CausalLm model, TrainingSection settings)
    {
        if (settings.TokensPerPass is { } chosen)
        {
            return chosen;
        }

        var memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        return (int)
            Math.Clamp(
                Share
                    * memory
                    / (BytesPerUnit * model.Config.LayerCount * model.Config.HiddenSize * CountParallelPasses(model)),
                512,
                2048
            );
    }

    /// <summary>Users whose batches fill the passes that run side by side.</summary>
    public static int ChooseUsersAtOnce(CausalLm model, TrainingSection settings, double tokensPerExample) =>
        (int)
            Math.Clamp(
                CountParallelPasses(model)
                    * ChooseTokensPerPass(model, settings)
                    / Math.Max(1, settings.BatchSize * tokensPerExample),
                1,
                64
            );

    static int CountParallelPasses(CausalLm model) => TorchThreads.CountForPasses(model.Device, model.Weights.Bytes);
}
