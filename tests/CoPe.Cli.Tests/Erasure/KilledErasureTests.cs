using CoPe.Cli.Tests.Hosting;
using CoPe.Experiments.Data;
using CoPe.Experiments.Tasks;
using static System.StringComparison;

namespace CoPe.Cli.Tests.Erasure;

/// <summary>The program at an erasure, killed with SIGKILL, and the same command again.</summary>
[Collection("torch")]
public sealed class KilledErasureTests(TinyRunFixture world) : IClassFixture<TinyRunFixture>
{
    const int SigKill = 128 + 9;

    /// <summary>Operations between two at which a process is killed: each takes a start of the program.</summary>
    const int Distance = 7;

    static readonly string[] Forget = ["user", "forget", "run", "zquser"];

    [Fact]
    public void Wherever_the_process_is_killed_the_command_repeated_ends_like_one_that_was_not()
    {
        MakeRun();
        Copy("before", "run");
        Assert.Equal(0, world.RunCommand(default, Forget));
        var expected = ListFiles("run");
        var killed = 0;
        for (var operation = 1; ; operation += Distance, killed++)
        {
            Copy("before", "run");
            var ended = Start(
                $"{StartupHook.OperationVariable}={operation} {Hook} exec \"$COPE\" {string.Join(' ', Forget)}"
            );
            if (ended.Code == 0)
            {
                break;
            }

            Assert.True(ended.Code == SigKill, $"{operation}: {ended}");
            AssertEndsLike(expected, $"operation {operation}");
        }

        Assert.True(killed > 10, $"killed {killed} times");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(12)]
    [InlineData(31)]
    public void A_process_killed_in_the_midst_of_an_operation_is_repeated_as_well(int change)
    {
        MakeRun();
        Copy("before", "run");
        Assert.Equal(0, world.RunCommand(default, Forget));
        var expected = ListFiles("run");
        Copy("before", "run");

        using (var process = Shell.Start($"cd '{world.PathOf(".")}' && exec \"$COPE\" {string.Join(' ', Forget)}"))
        using (var watcher = new FileSystemWatcher(world.PathOf("run")) { IncludeSubdirectories = true })
        {
            var changes = 0;
            void CountChange(object sender, FileSystemEventArgs changed)
            {
                if (Interlocked.Increment(ref changes) == change)
                {
                    process.Kill();
                }
            }

            watcher.Created += CountChange;
            watcher.Deleted += CountChange;
            watcher.EnableRaisingEvents = true;
            process.WaitForExit();
            Assert.True(process.ExitCode is 0 or SigKill, $"{process.ExitCode}");
        }

        AssertEndsLike(expected, $"change {change}");
    }

    static string Hook => $"DOTNET_STARTUP_HOOKS='{typeof(StartupHook).Assembly.Location}'";

    Shell.Result Start(string command) => Shell.Run($"cd '{world.PathOf(".")}' && {command}");

    /// <summary>A run with its data in its folder, of a user with texts that nobody else has.</summary>
    void MakeRun()
    {
        if (Directory.Exists(world.PathOf("before")))
        {
            return;
        }

        var sample = LampFiles.Read(world.PathOf("data"), LampTasks.NewsHeadline);
        var user = sample.Users[0] with
        {
            Id = "zquser",
            History = [.. sample.Users[0].History.Select(item => Mark(item))],
            Queries = [.. sample.Users[0].Queries.Select((query, i) => query with { Id = $"zqquery{i}" })],
        };
        LampFiles.Write(world.PathOf("before/data"), sample with { Users = [user, .. sample.Users] });
        string[] run = ["run", "recipe.yaml", "--run", "before", "--set", "data=before/data"];
        string[] quick = ["--set", "predict=base,sft,cope", "--set", "evaluate.resamples=100"];
        Assert.True(world.RunCommand(default, [.. run, .. quick]) == 0, world.Error);
    }

    static HistoryItem Mark(HistoryItem item) =>
        item with
        {
            Id = "zqitem" + item.Id,
            Fields = item.Fields.ToDictionary(field => field.Key, field => "Zqvarlo " + field.Value),
        };

    void Copy(string from, string to)
    {
        var target = world.PathOf(to);
        if (Directory.Exists(target))
        {
            Directory.Delete(target, recursive: true);
        }

        foreach (var file in Directory.EnumerateFiles(world.PathOf(from), "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(target, Path.GetRelativePath(world.PathOf(from), file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }

    /// <summary>Files of a run by path, those that times and salts change without their content.</summary>
    SortedDictionary<string, string> ListFiles(string run)
    {
        var root = world.RunAt(run).Root;
        var files = Directory
            .EnumerateFiles(root, "*", SearchOption.AllDirectories)
            .ToDictionary(file => Path.GetRelativePath(root, file), HashContent);
        return new(files, StringComparer.Ordinal);
    }

    static string HashContent(string file) =>
        file.Contains($"{Path.DirectorySeparatorChar}stages{Path.DirectorySeparatorChar}", Ordinal)
        || Path.GetFileName(file) is "manifest.json" or "forgotten.json" or "report.html"
            ? ""
            : Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(file)));

    /// <summary>
    /// The run is either as before, and then whole, or refused; the command repeated ends it, and it is complete.
    /// </summary>
    void AssertEndsLike(SortedDictionary<string, string> expected, string killed)
    {
        var run = world.RunAt("run");
        var isPending = File.Exists(run.PendingErasure);
        if (isPending)
        {
            Assert.Equal(1, world.RunCommand(default, "run", "--run", "run"));
            Assert.Contains("repeat 'cope user forget run USER'", world.Error, Ordinal);
            Assert.Equal(0, world.RunCommand(default, "status", "--run", "run"));
            Assert.DoesNotContain(" complete", world.Output, Ordinal);
        }

        // Where only the last flush was missing, there is nobody left to forget.
        var code = world.RunCommand(default, Forget);
        Assert.True(
            code == 0 || (!isPending && world.Error.Contains("has no user", Ordinal)),
            $"{killed}: {world.Error}"
        );
        Assert.Equal(expected, ListFiles("run"));
        Assert.DoesNotContain(
            Directory.EnumerateFiles(run.Root, "*", SearchOption.AllDirectories),
            file => File.ReadAllBytes(file).AsSpan().IndexOf("Zqvarlo"u8) >= 0 || file.Contains("zquser", Ordinal)
        );
        Assert.Equal(0, world.RunCommand(default, "status", "--run", "run"));
        Assert.All(
            world.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries),
            line => Assert.EndsWith(" complete", line.TrimEnd(), Ordinal)
        );
    }
}
