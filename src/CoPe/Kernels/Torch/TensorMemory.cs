using System.Runtime.InteropServices;
using TorchSharp;

namespace CoPe.Kernels.Torch;

/// <summary>Where torch keeps a tensor's numbers on the processor, for kernels that work on them in place.</summary>
static unsafe partial class TensorMemory
{
    /// <summary>Whether a kernel can work on it in place: bf16, on the processor, contiguous.</summary>
    public static bool IsContiguousBf16(Tensor tensor) =>
        tensor.dtype == torch.ScalarType.BFloat16 && tensor.device_type == DeviceType.CPU && tensor.is_contiguous();

    /// <summary>
    /// First element of a contiguous tensor on the processor; valid while the tensor is, which the caller keeps alive.
    /// </summary>
    public static void* GetPointer(Tensor tensor)
    {
        var data = Data(tensor.Handle);
        torch.CheckForErrors();
        return (void*)data;
    }

    [LibraryImport("LibTorchSharp", EntryPoint = "THSTensor_data")]
    private static partial nint Data(nint tensor);
}
