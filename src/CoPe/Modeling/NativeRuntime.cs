using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace CoPe.Modeling;

/// <summary>Settings of the native runtime that must stand before libtorch is loaded.</summary>
static partial class NativeRuntime
{
    /// <summary>
    /// Lets idle OpenMP threads sleep instead of spin: spinning ones take the cores from our own kernel. The runtime reads the process environment when it is loaded,
    /// which .NET's own SetEnvironmentVariable does not reach on Linux. A value set by the user stands.
    /// </summary>
    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification = "libgomp reads the variable once, while libtorch is loaded: nothing later can set it.")]
    internal static void LetIdleThreadsSleep()
    {
        if (OperatingSystem.IsLinux()) _ = SetEnv("OMP_WAIT_POLICY", "PASSIVE", overwrite: 0);
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnv(string name, string value, int overwrite);
}
