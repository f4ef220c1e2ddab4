using CoPe.Kernels;
using CoPe.Modeling;
using TorchSharp;

namespace CoPe.Runs.Recipes;

/// <summary>Opens models with the weights that a recipe asks for.</summary>
public static class WeightLoading
{
    /// <summary>What whoever decodes with int8 weights is told.</summary>
    public const string Int8Warning = "int8 weights are lossy: answers and scores differ a little from those of bf16 (docs/performance.md has measured it)";

    /// <summary>The number types as recipes name them.</summary>
    public static IReadOnlyList<string> Words { get; } = [.. RecipeShape.Words(typeof(WeightDtype))];

    /// <summary>The model in a folder, which the caller owns. Throws <see cref="ModelFileException"/> for a folder that cannot be used.</summary>
    public static CausalLm Load(string folder, WeightDtype dtype, torch.Device device) => dtype switch
    {
        WeightDtype.ScaledBytes => CausalLm.LoadInt8(folder),
        WeightDtype.Bf16 => CausalLm.Load(folder, torch.ScalarType.BFloat16, device),
        WeightDtype.Fp32 => CausalLm.Load(folder, torch.ScalarType.Float32, device),
        _ => CausalLm.Load(folder, FastDtype(folder, device), device),
    };

    /// <summary>
    /// float32 for a small bf16 model where the processor does not multiply bf16: its products go through float32 in any case, and rounding in between would take a quarter more time and serve nobody. Null, the
    /// checkpoint's own type, elsewhere.
    /// </summary>
    static torch.ScalarType? FastDtype(string folder, torch.Device device) =>
        MatrixProduct.Widens(device) && ModelInfo.Read(folder).WeightBytes(torch.ScalarType.Float32) <= TorchThreads.SmallModel ? torch.ScalarType.Float32 : null;
}
