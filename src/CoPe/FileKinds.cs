using System.Runtime.InteropServices;

namespace CoPe;

/// <summary>What lies at a path, without following a link or opening anything.</summary>
enum FileKind
{
    /// <summary>A file with content.</summary>
    File,

    /// <summary>A folder.</summary>
    Folder,

    /// <summary>A link, wherever it leads.</summary>
    Link,

    /// <summary>A named pipe, a socket or a device: reading it may wait for ever, or have no end.</summary>
    Special,
}

/// <summary>Tells what lies at a path; .NET calls pipes, sockets and devices files.</summary>
static partial class FileKinds
{
    // statx(2), whose record is the same on every processor.
    const int CurrentFolder = -100,
        DoNotFollow = 0x100,
        BasicFields = 0x7ff,
        RecordBytes = 256,
        ModePlace = 28,
        LinksPlace = 16;

    const int TypeMask = 0xf000,
        RegularType = 0x8000;

    /// <summary>What lies at a path that exists.</summary>
    public static FileKind Find(string path)
    {
        var attributes = File.GetAttributes(path);
        if (attributes.HasFlag(FileAttributes.ReparsePoint))
        {
            return FileKind.Link;
        }

        if (attributes.HasFlag(FileAttributes.Directory))
        {
            return FileKind.Folder;
        }

        return IsRegular(path, DoNotFollow) ? FileKind.File : FileKind.Special;
    }

    /// <summary>Whether a file lies at a path, or where a link there leads, that can be read to an end.</summary>
    public static bool IsReadable(string path) => File.Exists(path) && IsRegular(path, flags: 0);

    /// <summary>How many names a file has on its disk; 1 where that is not known.</summary>
    public static int CountNames(string path)
    {
        var record = new byte[RecordBytes];
        return TryRead(path, DoNotFollow, record) ? BitConverter.ToInt32(record, LinksPlace) : 1;
    }

    static bool IsRegular(string path, int flags)
    {
        var record = new byte[RecordBytes];
        return !TryRead(path, flags, record) || (BitConverter.ToUInt16(record, ModePlace) & TypeMask) == RegularType;
    }

    static bool TryRead(string path, int flags, byte[] record) =>
        OperatingSystem.IsLinux() && ReadStatus(CurrentFolder, path, flags, BasicFields, record) == 0;

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int ReadStatus(int folder, string path, int flags, uint mask, byte[] record);
}
