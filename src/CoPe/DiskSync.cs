using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace CoPe;

/// <summary>
/// Waits until files and folders lie on the disk, and says where that fails: what .NET offers keeps an error of the
/// disk to itself on Unix, and does not know folders.
/// </summary>
static partial class DiskSync
{
    // The same on Linux and macOS.
    const int Interrupted = 4,
        BadHandle = 9,
        AccessDenied = 13,
        Invalid = 22;

    const int ReadOnly = 0;

    /// <summary>Writes what a stream holds back, and waits until the disk has all of it.</summary>
    /// <exception cref="IOException">The disk has failed, or is full.</exception>
    public static void Flush(FileStream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        if (OperatingSystem.IsWindows())
        {
            stream.Flush(flushToDisk: true);
            return;
        }
        stream.Flush();
        ThrowIfFailed(Sync(stream.SafeFileHandle), stream.Name);
    }

    /// <summary>
    /// Waits until the disk has a folder's list of names: a file renamed into it is there after a loss of power. Some
    /// file systems, and Windows, know no such wait.
    /// </summary>
    /// <exception cref="IOException">The disk has failed, or is full.</exception>
    public static void FlushFolder(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        if (OperatingSystem.IsWindows())
        {
            return;
        }
        using var handle = OpenFile(folder, ReadOnly);
        var error = handle.IsInvalid ? Marshal.GetLastPInvokeError() : Sync(handle);
        if (error is not (BadHandle or AccessDenied or Invalid))
        {
            ThrowIfFailed(error, folder);
        }
    }

    /// <summary>The error's number; 0 for none.</summary>
    static int Sync(SafeFileHandle handle)
    {
        while (SyncFile(handle) != 0)
        {
            var error = Marshal.GetLastPInvokeError();
            if (error != Interrupted)
            {
                return error;
            }
        }
        return 0;
    }

    static void ThrowIfFailed(int error, string path)
    {
        if (error != 0)
        {
            // The number is where .NET puts it as well, so that a full disk is known as one.
            var reason = Marshal.GetPInvokeErrorMessage(error);
            throw new IOException($"'{path}' could not be flushed to the disk: {reason}", error);
        }
    }

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SyncFile(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial SafeFileHandle OpenFile(string path, int flags);
}
