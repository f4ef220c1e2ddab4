using System.Runtime.InteropServices;

namespace CoPe.Kernels;

/// <summary>
/// Lets the C library keep memory that tensors free. Passes free and take the same large blocks again and again; given back to the system in between, each
/// of them is zeroed and mapped anew, page by page, which costs a tenth to a sixth of the time.
/// </summary>
internal static partial class NativeHeap
{
    const int TrimThreshold = -1;
    const int TopPad = -2;
    const int MapThreshold = -3;

    /// <summary>glibc alone knows these settings.</summary>
    static readonly bool IsKnown = OperatingSystem.IsLinux() && NativeLibrary.TryLoad("libc.so.6", out var library) && NativeLibrary.TryGetExport(library, "gnu_get_libc_version", out _);

    /// <summary>Takes effect for the rest of the process; does nothing where the C library is not glibc.</summary>
    public static void KeepFreedMemory()
    {
        if (!IsKnown) return;
        _ = SetMallocOption(MapThreshold, 32 << 20); // the largest that glibc takes: bigger blocks are mapped and given back, so that they do not fragment the heap
        _ = SetMallocOption(TrimThreshold, 1 << 30);
        _ = SetMallocOption(TopPad, 64 << 20);
    }

    /// <summary>Gives what was kept back to the system, for the end of a training or a decoding: what comes next in the process needs other blocks, and perhaps long after.</summary>
    public static void GiveBack()
    {
        if (IsKnown) _ = Trim(0);
    }

    [LibraryImport("libc.so.6", EntryPoint = "malloc_trim")]
    private static partial int Trim(nuint pad);

    [LibraryImport("libc.so.6", EntryPoint = "mallopt")]
    private static partial int SetMallocOption(int option, int value);
}
