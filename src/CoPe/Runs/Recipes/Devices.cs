using TorchSharp;

namespace CoPe.Runs.Recipes;

/// <summary>Finds the device that a recipe asks for.</summary>
public static class Devices
{
    /// <summary>The device of a recipe's models. Throws <see cref="RunException"/> where it asks for a GPU and torch finds none.</summary>
    public static torch.Device Of(Recipe recipe)
    {
        var hasGpu = recipe.Device != ComputeDevice.Cpu && !recipe.HasInt8Weights() && torch.cuda.is_available();
        if (recipe.Device == ComputeDevice.Cuda && !hasGpu)
            throw new RunException("device is cuda, but torch finds no GPU: build with -p:TorchBackend=cuda on a machine with an NVIDIA GPU and its driver, or set device=cpu");
        return hasGpu ? torch.CUDA : torch.CPU;
    }
}
