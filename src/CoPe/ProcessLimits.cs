using System.Globalization;
using System.Runtime.InteropServices;

namespace CoPe;

/// <summary>
/// Limits that a shell or a batch system has set for the process (<c>ulimit</c>). Where they are too low, .NET and
/// torch end in the middle of something else, with a segmentation fault or the name of a file that they could not
/// open: a check beforehand says what is wrong. Known on Linux; elsewhere nothing is limited.
/// </summary>
static partial class ProcessLimits
{
    const int FileSizeResource = 1;
    const int OpenFilesResource = 7;
    const int AddressSpaceResource = 9;

    /// <summary>.NET alone opens about a hundred.</summary>
    const long LeastOpenFiles = 256;

    /// <summary>.NET keeps the code that it compiles in a file in memory, to which the limit applies as well.</summary>
    const long LeastFileBytes = 64 << 20;

    /// <summary>A small model takes less than 6 GB, nearly all of it reserved and never used.</summary>
    const long LeastAddressBytes = 6L << 30;

    /// <summary>What keeps any command from running; null where nothing does.</summary>
    public static string? FindProblem() => Check(Read(OpenFilesResource), Read(FileSizeResource));

    /// <summary>Throws where torch cannot be loaded, or would end at its first larger tensor.</summary>
    /// <exception cref="InsufficientMemoryException">The address space is too small.</exception>
    public static void CheckAddressSpace()
    {
        if (CheckAddressSpace(Read(AddressSpaceResource)) is { } problem)
        {
            throw new InsufficientMemoryException(problem);
        }
    }

    /// <summary>What keeps any command from running under limits; null stands for none.</summary>
    internal static string? Check(long? openFiles, long? fileBytes) =>
        openFiles < LeastOpenFiles
            ? $"only {openFiles} files may be open at a time (ulimit -n); at least {LeastOpenFiles} are needed"
        : fileBytes < LeastFileBytes
            ? $"files may have no more than {Megabytes(fileBytes)} (ulimit -f), and so may the code that .NET "
                + $"compiles; at least {Megabytes(LeastFileBytes)} are needed"
        : null;

    /// <summary>What keeps torch from running under a limit; null stands for none.</summary>
    internal static string? CheckAddressSpace(long? bytes) =>
        bytes < LeastAddressBytes
            ? $"the address space is limited to {Megabytes(bytes)} (ulimit -v), of which .NET and torch reserve "
                + $"{Megabytes(LeastAddressBytes)} whether they use it or not: set 'ulimit -v unlimited', and limit "
                + "the memory that is used by a cgroup, for example with 'systemd-run -p MemoryMax=4G'"
            : null;

    static string Megabytes(long? bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / (1 << 20):#,0} MB");

    /// <summary>The most that the process may set the limit to; null where it may take any.</summary>
    static long? Read(int resource)
    {
        if (!OperatingSystem.IsLinux() || GetLimit(resource, out var limit) != 0)
        {
            return null;
        }

        // .NET raises the number of open files to the most that is allowed when it starts.
        var value = resource == OpenFilesResource ? limit.Most : limit.Current;
        return value > long.MaxValue ? null : (long)value;
    }

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int GetLimit(int resource, out Limit limit);

    [StructLayout(LayoutKind.Sequential)]
    struct Limit
    {
        public ulong Current;
        public ulong Most;
    }
}
