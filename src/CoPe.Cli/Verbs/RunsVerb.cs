using System.CommandLine;
using CoPe.Cli.Display;
using CoPe.Cli.Failures;
using CoPe.Cli.Hosting;
using CoPe.Cli.Sessions;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope runs ls</c>.</summary>
static class RunsVerb
{
    public static Command Create(CommandHost host) => new("runs", "List runs.") { CreateList(host) };

    static Command CreateList(CommandHost host)
    {
        var command = new Command(
            "ls",
            "List the runs in a folder: model, data, users, state, time at work, and the best method by the task's "
                + "first metric."
        );
        var folder = new Argument<string>("folder")
        {
            Description = "Folder that holds runs, or a run.",
            DefaultValueFactory = _ => RunFolders.DefaultFolder,
        };
        var all = new Option<bool>("--all")
        {
            Description = "Also the runs of several seeds or of a sweep, one by one.",
        };
        var json = new Option<bool>("--json") { Description = "JSON instead of a table." };
        command.Arguments.Add(folder);
        command.AddOptions(all, json);
        command.SetAction(parsed =>
        {
            var name = Path.TrimEndingDirectorySeparator(parsed.GetValue(folder)!);
            if (!Directory.Exists(host.PathOf(name)))
            {
                throw new UsageException(
                    $"there is no folder {name}: name one that holds runs, "
                        + "or make a run, for example 'cope run demo --run runs/demo'"
                );
            }

            var runs = RunFolders.List(host, name).Select(run => RunSummaryReader.Read(host, run)).ToList();
            if (parsed.GetValue(json))
            {
                RunsView.WriteJson(host, runs);
            }
            else if (runs.Count == 0)
            {
                host.WriteMessage($"no run in {name}");
            }
            else
            {
                RunsView.Write(host, runs, parsed.GetValue(all));
            }

            return ExitCode.Ok;
        });
        return command;
    }
}
