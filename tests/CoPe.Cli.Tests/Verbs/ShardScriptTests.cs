using System.Diagnostics;
using System.Text.Json;
using CoPe.Cli.Verbs;
using CoPe.Testing;
using CoPe.Testing.Schemas;
using YamlDotNet.Serialization;

namespace CoPe.Cli.Tests.Verbs;

public sealed class ShardScriptTests : IDisposable
{
    static readonly string Deploy = Path.GetFullPath(Path.Combine(JsonSchema.Folder, "../../deploy"));

    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    ShardScript Script =>
        new()
        {
            Folder = _folder.Path,
            Program = "/opt/a b/cope",
            Run = "runs/it's",
            Prepare = ["news_headline", "--set", "data=$HOME \"x\""],
            Shards = 3,
        };

    static List<JsonElement> ReadJobs(string yaml)
    {
        var reader = new DeserializerBuilder().WithAttemptingUnquotedStringTypeDeserialization().Build();
        var writer = new SerializerBuilder().JsonCompatible().Build();
        return
        [
            .. yaml.Split("\n---\n")
                .Select(job =>
                    JsonDocument.Parse(writer.Serialize(reader.Deserialize<object>(job))).RootElement.Clone()
                ),
        ];
    }

    static IReadOnlyList<string> FindErrors(JsonElement job)
    {
        using var schema = JsonDocument.Parse(File.ReadAllText(Path.Combine(Deploy, "kubernetes/job.schema.json")));
        return JsonSchema.Errors(job, schema.RootElement);
    }

    static string[] GetArguments(JsonElement job) =>
        [
            .. job.GetProperty("spec")
                .GetProperty("template")
                .GetProperty("spec")
                .GetProperty("containers")[0]
                .GetProperty("args")
                .EnumerateArray()
                .Select(argument => argument.GetString()!),
        ];

    [Fact]
    public void The_jobs_for_Kubernetes_fit_their_schema_as_they_are_and_filled_in()
    {
        var shipped = ReadJobs(File.ReadAllText(Path.Combine(Deploy, "kubernetes/shards.yaml")));
        var jobs = ReadJobs(Script.Create("kubernetes"));

        Assert.Equal(3, shipped.Count);
        Assert.All(shipped.Concat(jobs), job => Assert.Empty(FindErrors(job)));
        Assert.NotEmpty(FindErrors(ReadJobs("apiVersion: batch/v1\nkind: Job\nmetadata: { name: a }\nspec: {}")[0]));
        var spec = jobs[1].GetProperty("spec");
        Assert.Equal("Indexed", spec.GetProperty("completionMode").GetString());
        Assert.Equal(3, spec.GetProperty("completions").GetInt32());
        Assert.Equal(["run", "--run", "runs/it's", "--shard", "--quiet"], GetArguments(jobs[1]));
        Assert.Equal("data=$HOME \"x\"", GetArguments(jobs[0])[4]);
    }

    [Fact]
    public void The_commands_of_the_jobs_for_Kubernetes_are_command_lines_of_cope()
    {
        var root = CommandLine.CreateRootCommand(
            new()
            {
                Out = TextWriter.Null,
                Error = TextWriter.Null,
                SearchFolders = ["/"],
            }
        );
        Assert.All(
            ReadJobs(Script.Create("kubernetes")),
            job => Assert.Empty(CommandLine.Parse(root, GetArguments(job)).Errors)
        );
    }

    [Fact]
    public void The_script_for_Slurm_submits_what_is_shared_then_the_array_then_the_end()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("the script is bash");
            return;
        }

        var sbatch = _folder.Write(
            "bin/sbatch",
            "#!/bin/bash\nn=$(($(cat count 2>/dev/null || echo 0) + 1)); echo $n > count\n"
                + "printf '%s\\n' \"$@\" > job-$n\n[[ \"$*\" = *--wrap* ]] || cat > task-$n\necho $n\n"
        );
        File.SetUnixFileMode(sbatch, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        var script = _folder.Write("go.sh", Script.Create("slurm"));

        Assert.Equal(0, RunBash(script));

        var (first, second, third) = (ReadLines("job-1"), ReadLines("job-2"), ReadLines("job-3"));
        Assert.Contains("--array=0-2", second);
        Assert.Contains("--dependency=afterok:1", second);
        Assert.Contains("--dependency=afterok:2", third);
        Assert.Equal(
            [
                "/opt/a b/cope",
                "shards",
                "prepare",
                "news_headline",
                "--set",
                "data=$HOME \"x\"",
                "--run",
                RunPath,
                "--quiet",
            ],
            ListWords(first[^1])
        );
        Assert.Equal(["/opt/a b/cope", "finish", RunPath, "--quiet"], ListWords(third[^1]));
        Assert.Equal(
            ["/opt/a b/cope", "run", "--run", RunPath, "--quiet", "--shard", "2/3"],
            ListWords(
                "SLURM_ARRAY_TASK_ID=2; "
                    + ReadLines("task-2").First(line => line.StartsWith("srun", StringComparison.Ordinal))
            )
        );
    }

    string RunPath => Path.Combine(_folder.Path, "runs/it's");

    string[] ReadLines(string file) => File.ReadAllLines(_folder.At(file));

    int RunBash(string script)
    {
        var start = new ProcessStartInfo("bash", [script]) { WorkingDirectory = _folder.Path };
        start.Environment["PATH"] = $"{_folder.At("bin")}:{Environment.GetEnvironmentVariable("PATH")}";
        using var bash = Process.Start(start)!;
        bash.WaitForExit();
        return bash.ExitCode;
    }

    /// <summary>The words that <c>srun</c> is given by a line of bash.</summary>
    string[] ListWords(string line)
    {
        var script = _folder.Write("words.sh", $"srun() {{ printf '%s\\n' \"$@\" > words; }}\n{line}\n");
        Assert.Equal(0, RunBash(script));
        return ReadLines("words");
    }
}
