using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace CoPe;

/// <summary>
/// What .NET does not tell of a file that was opened for this process alone (<see cref="FileShare.None"/>): whether the
/// system keeps it so, and where the file is by now.
/// </summary>
static partial class FileLock
{
    // The same on Linux and macOS.
    const int Exclusive = 2;
    const int NonBlocking = 4;

    /// <summary>EWOULDBLOCK; on Windows ERROR_SHARING_VIOLATION.</summary>
    static readonly int WouldBlock =
        OperatingSystem.IsWindows() ? 32
        : OperatingSystem.IsMacOS() ? 35
        : 11;

    /// <summary>
    /// Whether others are kept out. Some file systems of networks have no locks (ENOLCK, ENOTSUP, EINVAL), which .NET
    /// takes for having one.
    /// </summary>
    /// <param name="file">A file opened with <see cref="FileShare.None"/>.</param>
    /// <param name="path">Its path, for messages.</param>
    /// <exception cref="IOException">Another process has the lock.</exception>
    public static bool IsKept(SafeFileHandle file, string path)
    {
        if (OperatingSystem.IsWindows() || Lock(file, Exclusive | NonBlocking) == 0)
        {
            return true;
        }

        return Marshal.GetLastPInvokeError() == WouldBlock
            ? throw new IOException($"'{path}' is locked by another process", WouldBlock)
            : false;
    }

    /// <summary>Whether an error says that another process has the file.</summary>
    public static bool IsHeldByOther(IOException error) => (error.HResult & 0xFFFF) == WouldBlock;

    /// <summary>
    /// The path that leads to an open file now, whatever it was opened by: another one after a folder was renamed, none
    /// once the file is deleted. Null where the system does not tell.
    /// </summary>
    public static string? FindPath(SafeFileHandle file) =>
        OperatingSystem.IsLinux() && new FileInfo($"/proc/self/fd/{file.DangerousGetHandle()}").LinkTarget is { } path
            ? path
            : null;

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Lock(SafeFileHandle file, int operation);
}
