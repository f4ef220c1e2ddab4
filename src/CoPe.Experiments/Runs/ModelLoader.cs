using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Settings;
using CoPe.Kernels.Threads;
using CoPe.Kernels.Torch;
using CoPe.Modeling;
using TorchSharp;

namespace CoPe.Experiments.Runs;

/// <summary>Opens models with the weights that a recipe asks for.</summary>
public static class ModelLoader
{
    /// <summary>What whoever uses weights of this type is told; null where nothing is lost.</summary>
    public static string? GetWarning(WeightDtype dtype) =>
        GetQuantization(dtype) is null
            ? null
            : $"{SettingsSchema.GetEnumName(dtype)} weights are lossy: answers and scores differ from those of bf16 "
                + "(docs/performance.md has measured it)";

    /// <summary>What linear layers are rounded to; null where they are not.</summary>
    public static QuantizedDtype? GetQuantization(WeightDtype dtype) =>
        dtype switch
        {
            WeightDtype.Int8 => QuantizedDtype.Int8,
            WeightDtype.Q4 => QuantizedDtype.Q4,
            _ => null,
        };

    /// <summary>The type that a model computes in, as recipes name it.</summary>
    internal static string GetDtypeName(CausalLm model) =>
        SettingsSchema.GetEnumName(
            model.Quantization switch
            {
                QuantizedDtype.Int8 => WeightDtype.Int8,
                QuantizedDtype.Q4 => WeightDtype.Q4,
                _ => model.Dtype == torch.ScalarType.BFloat16 ? WeightDtype.Bf16 : WeightDtype.Fp32,
            }
        );

    /// <summary>The number types as recipes name them.</summary>
    public static IReadOnlyList<string> DtypeNames { get; } = [.. SettingsSchema.GetEnumNames(typeof(WeightDtype))];

    /// <summary>
    /// The model in a folder, which the caller owns. Rounded weights of a large model are kept in the user's cache, so
    /// that the next opening maps them.
    /// </summary>
    /// <param name="folder">The model.</param>
    /// <param name="dtype">Type of its weights.</param>
    /// <param name="device">Where it computes.</param>
    /// <param name="warn">Told why rounded weights could not be kept; null is nobody.</param>
    /// <exception cref="ModelFileException">The folder cannot be used.</exception>
    public static CausalLm Load(string folder, WeightDtype dtype, torch.Device device, Action<string>? warn = null) =>
        dtype switch
        {
            WeightDtype.Int8 or WeightDtype.Q4 => CausalLm.LoadQuantized(
                folder,
                GetQuantization(dtype)!.Value,
                RoundedWeightsCache.OfUser(),
                warn
            ),
            WeightDtype.Bf16 => CausalLm.Load(folder, torch.ScalarType.BFloat16, device),
            WeightDtype.Fp32 => CausalLm.Load(folder, torch.ScalarType.Float32, device),
            _ => CausalLm.Load(folder, ChooseDtype(ModelInfo.Read(folder), device), device),
        };

    /// <summary>
    /// float32 for a small bf16 model where the processor does not multiply bf16: its products go through float32 in
    /// any case, and rounding in between would take a quarter more time for nothing. Null, the checkpoint's own type,
    /// elsewhere.
    /// </summary>
    internal static torch.ScalarType? ChooseDtype(ModelInfo info, torch.Device device) =>
        info.Rounded is null
        && MatrixProduct.UpcastsBf16(device)
        && info.WeightBytes(torch.ScalarType.Float32) <= TorchThreads.SmallModelBytes
            ? torch.ScalarType.Float32
            : null;

    /// <summary>About the bytes that <see cref="Load"/> holds of a model's weights.</summary>
    internal static long CountWeightBytes(ModelInfo info, WeightDtype dtype, torch.Device device) =>
        dtype switch
        {
            WeightDtype.Int8 => info.QuantizedWeightBytes(QuantizedDtype.Int8),
            WeightDtype.Q4 => info.QuantizedWeightBytes(QuantizedDtype.Q4),
            WeightDtype.Bf16 => info.WeightBytes(torch.ScalarType.BFloat16),
            WeightDtype.Fp32 => info.WeightBytes(torch.ScalarType.Float32),
            _ when info.Rounded is { } rounded => info.QuantizedWeightBytes(rounded),
            _ => info.WeightBytes(ChooseDtype(info, device) ?? info.LoadedDtype),
        };
}

/// <summary>Finds the device that a recipe asks for.</summary>
public static class DeviceSelector
{
    /// <summary>
    /// The device of a recipe's models. Throws <see cref="RunException"/> where it asks for a GPU and torch finds none.
    /// </summary>
    public static torch.Device Select(Recipe recipe)
    {
        ProcessLimits.CheckAddressSpace();
        var hasGpu = recipe.Device != ComputeDevice.Cpu && !recipe.HasQuantizedWeights() && torch.cuda.is_available();
        if (recipe.Device == ComputeDevice.Cuda && !hasGpu)
        {
            throw new RunException(
                "device is cuda, but torch finds no GPU: build with -p:TorchBackend=cuda on a machine with an "
                    + "NVIDIA GPU and its driver, or set device=cpu"
            );
        }

        return hasGpu ? torch.CUDA : torch.CPU;
    }
}
