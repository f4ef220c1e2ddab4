using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace CoPe.Kernels.Torch;

/// <summary>
/// Lets the C library keep memory that tensors free. Passes free and take the same large blocks again and again; given
/// back to the system in between, each of them is zeroed and mapped again, page by page, which costs a tenth to a sixth
/// of the time.
/// </summary>
static partial class NativeHeap
{
    const int TrimThreshold = -1;
    const int TopPad = -2;
    const int MapThreshold = -3;

    /// <summary>glibc alone knows these settings.</summary>
    static readonly bool IsGlibc =
        OperatingSystem.IsLinux()
        && NativeLibrary.TryLoad("libc.so.6", out var library)
        && NativeLibrary.TryGetExport(library, "gnu_get_libc_version", out _);

    /// <summary>Takes effect for the rest of the process; does nothing where the C library is not glibc.</summary>
    public static void KeepFreedMemory()
    {
        if (!IsGlibc)
        {
            return;
        }

        // The largest that glibc takes: bigger blocks are mapped and given back, so that they do not fragment the heap.
        _ = SetMallocOption(MapThreshold, 32 << 20);
        _ = SetMallocOption(TrimThreshold, 1 << 30);
        _ = SetMallocOption(TopPad, 64 << 20);
    }

    /// <summary>
    /// Gives what was kept back to the system, for the end of a training or a decoding: what comes next in the process
    /// needs other blocks, and perhaps long after.
    /// </summary>
    public static void ReleaseFreedMemory()
    {
        if (IsGlibc)
        {
            _ = Trim(0);
        }
    }

    [LibraryImport("libc.so.6", EntryPoint = "malloc_trim")]
    private static partial int Trim(nuint pad);

    [LibraryImport("libc.so.6", EntryPoint = "mallopt")]
    private static partial int SetMallocOption(int option, int value);
}

/// <summary>Settings of the native runtime that must stand before libtorch is loaded.</summary>
static partial class NativeRuntime
{
    /// <summary>
    /// Lets idle OpenMP threads sleep instead of spin: spinning ones take the cores from our own kernel. The runtime
    /// reads the process environment when it is loaded, which .NET's own SetEnvironmentVariable does not reach on
    /// Linux. A value set by the user stands.
    /// </summary>
    [ModuleInitializer]
    [SuppressMessage(
        "Usage",
        "CA2255",
        Justification = "libgomp reads the variable once, while libtorch is loaded: nothing later can set it."
    )]
    internal static void LetIdleThreadsSleep()
    {
        if (OperatingSystem.IsLinux())
        {
            _ = SetEnv("OMP_WAIT_POLICY", "PASSIVE", overwrite: 0);
        }
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnv(string name, string value, int overwrite);
}
