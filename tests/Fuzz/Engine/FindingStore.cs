using System.Diagnostics;
using CoPe.Fuzz.Readers;

namespace CoPe.Fuzz.Engine;

/// <summary>Keeps the first input of each fault as a file, with what is known of it beside.</summary>
static class FindingStore
{
    /// <summary>Writes an input down.</summary>
    public static Finding Write(string folder, FuzzedReader reader, byte[] input, string fault, Exception? error)
    {
        Directory.CreateDirectory(folder);
        var file = Path.Combine(folder, $"{reader.Name}-{StableHash.Fnv1a64(input):x16}.input");
        File.WriteAllBytes(file, input);
        File.WriteAllText(
            file + ".txt",
            $"{reader.Name}: {fault}\nrepeat: {DescribeRepeat(reader.Name, file)}\n\n{error}\n"
        );
        return new(reader.Name, fault, FindPlace(error), file);
    }

    /// <summary>The command that reads an input again.</summary>
    public static string DescribeRepeat(string reader, string file) =>
        $"dotnet run -c Release --project tests/Fuzz -- --reader {reader} --input {file}";

    /// <summary>The innermost method of this repository that an error came through.</summary>
    public static string FindPlace(Exception? error)
    {
        while (error?.InnerException is { StackTrace: not null } inner)
        {
            error = inner;
        }

        var frames = error is null ? [] : new StackTrace(error, fNeedFileInfo: false).GetFrames();
        var method = frames
            .Select(frame => frame.GetMethod())
            .FirstOrDefault(method => method?.Module.Name.StartsWith("CoPe", StringComparison.Ordinal) == true);
        return method is null ? "" : $"{method.DeclaringType?.Name}.{method.Name}";
    }
}
