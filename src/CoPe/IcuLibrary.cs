using System.Runtime.InteropServices;

namespace CoPe;

/// <summary>The library that .NET asks for case and normal forms on Unix.</summary>
static partial class IcuLibrary
{
    /// <summary>
    /// Its version; <c>none</c> in globalization-invariant mode and where .NET uses the system's own.
    /// </summary>
    public static string Version { get; } = ReadVersion();

    static string ReadVersion()
    {
        try
        {
            var version = GetVersion();
            return version == 0 ? "none" : $"{version >> 24 & 0xFF}.{version >> 16 & 0xFF}";
        }
        catch (Exception error) when (error is DllNotFoundException or EntryPointNotFoundException)
        {
            return "none";
        }
    }

    [LibraryImport("libSystem.Globalization.Native", EntryPoint = "GlobalizationNative_GetICUVersion")]
    private static partial int GetVersion();
}
