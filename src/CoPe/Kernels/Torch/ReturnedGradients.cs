using TorchSharp;

namespace CoPe.Kernels.Torch;

/// <summary>What backward passes of our own functions return to torch.</summary>
static class ReturnedGradients
{
    [ThreadStatic]
    static List<torch.Tensor>? _last;

    /// <summary>
    /// Disposes what the last backward pass on this thread returned: by now torch has taken its own reference, and ours
    /// would keep every gradient of a step in memory until its end.
    /// </summary>
    public static void ReleaseLast()
    {
        _last?.ForEach(gradient => gradient?.Dispose());
        _last = null;
    }

    /// <summary>The gradients as a backward pass returns them; null for what has none.</summary>
    public static List<torch.Tensor> Return(params torch.Tensor?[] gradients) =>
        _last = [.. gradients.Select(one => one!)];
}
