using System.Runtime.InteropServices;
using System.Text;

namespace CoPe.Cli.Hosting;

/// <summary>
/// The process's standard streams, also where the caller has closed one (<c>cope run ... >&amp;-</c>). The system gives
/// the number of a closed one to whatever is opened next: the runtime's own pipes before the program begins, a file of
/// a run after it, and what was meant for a terminal would be written there.
/// </summary>
static partial class StandardStreams
{
    const int Input = 0;
    const int Output = 1;
    const int Error = 2;

    // The same on Linux and macOS.
    const int GetDescriptorFlags = 1;
    const int CloseOnExec = 1;
    const int ReadAndWrite = 2;

    static readonly bool[] Given = [TakeIfGiven(Input), TakeIfGiven(Output), TakeIfGiven(Error)];

    /// <summary>Standard output; one that fails where it was closed.</summary>
    public static TextWriter OpenOutput() => Given[Output] ? Console.Out : new ClosedWriter();

    /// <summary>Standard error; one that fails where it was closed.</summary>
    public static TextWriter OpenError() => Given[Error] ? Console.Error : new ClosedWriter();

    /// <summary>Standard input; empty where it was closed.</summary>
    public static TextReader OpenInput() => Given[Input] ? Console.In : TextReader.Null;

    /// <summary>
    /// Whether the caller has given a stream. What this process has opened itself is closed in its children; what it
    /// was given is not, or it would not be here. The number of a closed stream is kept from files.
    /// </summary>
    static bool TakeIfGiven(int number)
    {
        if (OperatingSystem.IsWindows())
        {
            return true;
        }

        var flags = Control(number, GetDescriptorFlags);
        if (flags < 0)
        {
            _ = Open("/dev/null", ReadAndWrite); // The lowest number that is free, which is this one.
        }

        return flags >= 0 && (flags & CloseOnExec) == 0;
    }

    [LibraryImport("libc", EntryPoint = "fcntl")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Control(int descriptor, int command);

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Open(string path, int flags);

    sealed class ClosedWriter : TextWriter
    {
        public override Encoding Encoding => Encoding.UTF8;

        public override void Write(char value) => throw new IOException("it is closed");
    }
}
