using System.Runtime.InteropServices;

namespace CoPe.Training;

/// <summary>
/// Lets the C library keep memory that tensors free. A training frees and takes the same large blocks at every step; given back to the system in between, each
/// of them is zeroed and mapped anew, page by page, which costs a sixth of a step.
/// </summary>
internal static partial class NativeHeap
{
    const int TrimThreshold = -1;
    const int TopPad = -2;
    const int MapThreshold = -3;

    /// <summary>Takes effect for the rest of the process; does nothing where the C library is not glibc, which alone knows these settings.</summary>
    public static void KeepFreedMemory()
    {
        if (!OperatingSystem.IsLinux() || !NativeLibrary.TryLoad("libc.so.6", out var library)) return;
        if (!NativeLibrary.TryGetExport(library, "gnu_get_libc_version", out _)) return;
        _ = SetMallocOption(MapThreshold, 32 << 20); // the largest that glibc takes: bigger blocks are mapped and given back, so that they do not fragment the heap
        _ = SetMallocOption(TrimThreshold, 1 << 30);
        _ = SetMallocOption(TopPad, 64 << 20);
    }

    [LibraryImport("libc.so.6", EntryPoint = "mallopt")]
    private static partial int SetMallocOption(int option, int value);
}
