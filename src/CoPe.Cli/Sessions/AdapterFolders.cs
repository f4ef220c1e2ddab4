using System.CommandLine;
using CoPe.Cli.Hosting;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Artifacts;

namespace CoPe.Cli.Sessions;

/// <summary>The option of verbs that read what a run's stages have written.</summary>
static class AllowStaleOption
{
    public static Option<bool> Create() =>
        new("--allow-stale")
        {
            Description = "Also reads what is out of date, made with other settings, data or weights than the run's.",
        };
}

/// <summary>
/// Folders of adapters that a person names. One that is part of a run is judged as the run's own verbs judge it.
/// </summary>
static class AdapterFolders
{
    /// <summary>The argument that names them, in the order in which they are applied.</summary>
    /// <param name="arity">How many there may be.</param>
    public static Argument<string[]> CreateArgument(ArgumentArity arity) =>
        new("adapters")
        {
            Description =
                "Folders of adapters in PEFT's layout, lowest first: "
                + "for a user of a run RUN/tam/adapter, then RUN/dpo/USER.",
            Arity = arity,
        };

    /// <summary>The full paths; says what is out of date and used all the same.</summary>
    /// <exception cref="RunException">One is part of a run and out of date.</exception>
    public static IReadOnlyList<string> Find(CommandHost host, IEnumerable<string> folders, bool allowStale)
    {
        var paths = folders.Select(host.PathOf).ToList();
        foreach (var path in paths)
        {
            if (AdapterPlace.Find(path) is { } place)
            {
                Judge(host, place, allowStale);
            }
        }

        return paths;
    }

    /// <summary>Says which users' adapters are named without the one of their task-adaptive model.</summary>
    public static void WarnOfMissingTam(CommandHost host, IReadOnlyList<string> paths)
    {
        foreach (var (path, place) in paths.Select(path => (path, AdapterPlace.Find(path))))
        {
            var tam =
                place is { IsUsers: true } && Directory.Exists(place.Run.TamAdapter) ? place.Run.TamAdapter : null;
            if (tam is not null && !paths.Select(Path.GetFullPath).Contains(tam))
            {
                host.WriteMessage(
                    $"warning: {path} stands on the task-adaptive model of its run, which is not among the adapters: "
                        + $"name {tam} before it"
                );
            }
        }
    }

    static void Judge(CommandHost host, AdapterPlace place, bool allowStale)
    {
        using var opened = new RunSession(host, new() { Run = place.Run.Name }).Open(takesLock: false);
        var check = new OutputCheck(host.Pipeline, opened.Context);
        var problem = place.IsUsers
            ? check.FindProblemOfParts(place.Stage).OfFolder(place.Name)
            : check.FindProblem(place.Stage);
        host.WriteWarnings(problem is null ? [] : [problem.Accept(allowStale)]);
    }
}
