using CoPe.Cli.Tests.Hub;
using CoPe.Experiments.Runs;
using CoPe.Testing;

namespace CoPe.Cli.Tests.Erasure;

/// <summary>Commands over stages that need no model, in folders of a temporary one.</summary>
/// <param name="pipeline">The stages.</param>
sealed class ToyCommands(Pipeline pipeline) : IDisposable
{
    public TemporaryFolder Folder { get; } = new();

    public string Output { get; private set; } = "";

    public string Error { get; private set; } = "";

    public void Dispose()
    {
        AtomicFile.BeforeOperation = null;
        Folder.Dispose();
    }

    public int Cope(params string[] args) => CopeIn("", args);

    public int CopeIn(string folder, params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = CommandLine.Run(
            args,
            new()
            {
                Out = output,
                Error = error,
                SearchFolders = [Folder.At(folder), AppContext.BaseDirectory],
                Pipeline = pipeline,
                ReadHubSettings = () => OfflineHub.Create(Folder),
            }
        );
        (Output, Error) = (output.ToString(), error.ToString());
        return code;
    }

    public void Succeed(params string[] args) => SucceedIn("", args);

    public void SucceedIn(string folder, params string[] args) => Assert.True(CopeIn(folder, args) == 0, Error);

    /// <summary>Checks that every stage of a run is complete.</summary>
    public void AssertComplete(string run)
    {
        Succeed("status", "--run", run);
        var lines = Output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        Assert.Equal(pipeline.Stages.Count, lines.Length);
        Assert.All(lines, line => Assert.EndsWith(" complete", line, StringComparison.Ordinal));
    }

    /// <summary>Puts a copy of one folder in the place of another.</summary>
    public void Copy(string from, string to)
    {
        var (source, target) = (Folder.At(from), Folder.At(to));
        AtomicFile.Remove(target);
        foreach (var file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(target, Path.GetRelativePath(source, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }

    /// <summary>Fails the N-th file operation of the commands that follow; 0 fails none.</summary>
    public static void FailOperation(int number)
    {
        var count = 0;
        AtomicFile.BeforeOperation = operation =>
        {
            if (++count == number)
            {
                throw new IOException("cannot " + operation);
            }
        };
    }
}
