using System.Runtime.InteropServices;

namespace CoPe.Kernels;

/// <summary>Machine code made at run time, on Linux: written to fresh memory, which is then made executable and no longer writable, and stays for the life of the process.</summary>
internal static unsafe partial class ExecutableMemory
{
    const int Read = 1;
    const int Write = 2;
    const int Execute = 4;
    const int PrivateAnonymous = 0x22;

    /// <summary>The address of the code; null where the system allows no such memory.</summary>
    public static void* Of(byte[] code)
    {
        if (!OperatingSystem.IsLinux()) return null;
        var memory = Map(null, (nuint)code.Length, Read | Write, PrivateAnonymous, -1, 0);
        if ((nint)memory == -1) return null;
        code.CopyTo(new Span<byte>(memory, code.Length));
        if (Protect(memory, (nuint)code.Length, Read | Execute) == 0) return memory;
        _ = Unmap(memory, (nuint)code.Length);
        return null;
    }

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial void* Map(void* address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    private static partial int Protect(void* address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(void* address, nuint length);
}
