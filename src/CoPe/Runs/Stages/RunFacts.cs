using System.Reflection;
using System.Runtime.InteropServices;
using CoPe.Evaluation.Report;

namespace CoPe.Runs.Stages;

/// <summary>What a reader needs to judge and repeat a run: seed, versions, machine, hashes of the inputs, times.</summary>
static class RunFacts
{
    /// <summary>The facts in the order of the report.</summary>
    public static IReadOnlyList<ReportFact> Of(StageContext context, RunWorkspace workspace)
    {
        var hashes = new FileHashes(context.Run.FileHashes);
        return
        [
            Fact("Run", "task", workspace.Task.Name),
            Fact("Run", "model", context.Recipe.Model),
            Fact("Run", "seed", $"{context.Recipe.Seed}"),
            Fact("Run", "users", $"{workspace.Dataset.Users.Count}"),
            Fact("Run", "queries", $"{workspace.Dataset.Users.Sum(user => user.Queries.Count)}{(context.Recipe.DevelopmentItems > 0 ? " (development items from the histories)" : "")}"),
            Fact("Versions", "CoPe for .NET", Version(typeof(RunFacts))),
            Fact("Versions", "TorchSharp", Version(typeof(TorchSharp.torch))),
            Fact("Versions", ".NET", Environment.Version.ToString()),
            Fact("Machine", "system", RuntimeInformation.OSDescription),
            Fact("Machine", "processor", $"{Environment.ProcessorCount} x {RuntimeInformation.ProcessArchitecture}"),
            .. context.Inputs.Files(StageFiles.All).Select(file => Fact("SHA-256 of inputs", file.Name, hashes.Of(file.Path))),
        ];
    }

    /// <summary>Wall-clock time of every complete stage.</summary>
    public static IEnumerable<StageTime> Times(StageContext context) =>
        from stage in StageList.All
        let marker = StageMarker.Read(context.Run.Marker(stage.Name))
        where marker is not null
        select new StageTime(stage.Name, TimeSpan.FromSeconds(marker.Seconds));

    static ReportFact Fact(string group, string name, string value) => new() { Group = group, Name = name, Value = value };

    static string Version(Type type) => type.Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "unknown";
}
