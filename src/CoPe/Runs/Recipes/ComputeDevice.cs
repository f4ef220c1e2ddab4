namespace CoPe.Runs.Recipes;

/// <summary>Where a model is held and computes.</summary>
public enum ComputeDevice
{
    /// <summary>An NVIDIA GPU where torch finds one, else the processor; with int8 weights the processor.</summary>
    Auto,

    /// <summary>The processor.</summary>
    Cpu,

    /// <summary>The first NVIDIA GPU; needs a program built with <c>-p:TorchBackend=cuda</c>.</summary>
    Cuda,
}
