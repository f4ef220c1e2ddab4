using System.CommandLine;
using CoPe.Cli.Display;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Erasure;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope user ls|show|forget</c>.</summary>
static class UserVerb
{
    static readonly Argument<string> RunArgument = new("run") { Description = "Folder of the run." };
    static readonly Argument<string> UserArgument = new("user") { Description = "Id of the user." };
    static readonly Option<bool> DataOption = new("--data")
    {
        Description = "Also from the data folder of the run, where that lies elsewhere.",
    };

    public static Command Create(CommandHost host) =>
        new("user", "List what a run holds of its users, and erase a user from it.")
        {
            CreateList(host),
            CreateShow(host),
            CreateForget(host),
        };

    static Command CreateList(CommandHost host)
    {
        var command = new Command(
            "ls",
            "List the users of a run: history items, queries, and in how many places there is something of theirs."
        )
        {
            RunArgument,
        };
        command.SetAction(parsed =>
        {
            var family = RunAndChildren(host, parsed);
            var listed = family.Select(run => Inspect(host, run, erasure => erasure.List().ToList())).ToList();
            host.Out.WriteLine($"{"user",-24} {"items",7} {"queries",8} {"places",7}");
            foreach (var user in listed.SelectMany(run => run).GroupBy(pair => pair.User.Id))
            {
                host.Out.WriteLine(
                    $"{user.Key,-24} {user.First().User.History.Count,7} {user.First().User.Queries.Count,8} {user.Sum(pair => pair.Traces.Count),7}"
                );
            }

            foreach (var run in family)
            {
                WriteMissingInputs(
                    host,
                    run,
                    InputKinds.Data,
                    "its users are those whom its files name, their items and queries are not known"
                );
            }

            return ExitCode.Ok;
        });
        return command;
    }

    static Command CreateShow(CommandHost host)
    {
        var command = new Command("show", "List everything in a run that is derived from a user.")
        {
            RunArgument,
            UserArgument,
        };
        command.SetAction(parsed =>
        {
            foreach (var run in RunsWithUser(host, parsed))
            {
                WriteTraces(
                    host,
                    parsed,
                    run,
                    Inspect(host, run, erasure => erasure.Show(parsed.GetValue(UserArgument)!))
                );
            }

            return ExitCode.Ok;
        });
        return command;
    }

    static Command CreateForget(CommandHost host)
    {
        var command = new Command(
            "forget",
            "Erase a user and everything derived from him from a run and the runs within it; results and report are made anew without him."
        )
        {
            RunArgument,
            UserArgument,
            DataOption,
        };
        command.SetAction(parsed =>
        {
            var (id, isDataToo) = (parsed.GetValue(UserArgument)!, parsed.GetValue(DataOption));
            var beside = SiblingsWithUser(host, parsed, id).ToList();
            if (isDataToo && beside.Find(IsSeedRun) is { } other && IsSeedRun(NamedRun(host, parsed)))
            {
                throw new RunException(
                    $"{other.Name} reads the same data and still holds him: '{ForgetInParentCommand(other, id)} --data' erases him from all runs there; without --data he is erased from this one alone"
                );
            }

            var elsewhere = Erase(host, parsed, id, isDataToo);
            host.Out.WriteLine("erased");
            foreach (var run in beside)
            {
                host.Out.WriteLine(
                    $"{run.Name} still holds him; '{ForgetInParentCommand(run, id)}' erases him from all runs there"
                );
            }

            if (elsewhere is not null && !isDataToo)
            {
                host.Out.WriteLine(
                    $"the data folder {elsewhere} still holds him, and this run will not read him again; --data erases him there too"
                );
            }

            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>
    /// Erases him from all runs of the folder, each under its lock until the last is whole again. Returns a data folder
    /// that still holds him.
    /// </summary>
    static string? Erase(CommandHost host, ParseResult parsed, string id, bool isDataToo)
    {
        var runs = RunsWithUser(host, parsed);
        var open = new List<OpenedRun>();
        try
        {
            foreach (var run in runs)
            {
                open.Add(new RunSession(host, CreateRequest(run)).Open(isHeld: true));
            }

            var erasures = open.Select(one => new UserErasure(host.Pipeline, one.Context)).ToList();
            var gone = UserErasure.Forget(erasures, NamedRun(host, parsed), id, isDataToo);
            foreach (var (run, traces) in runs.Zip(gone))
            {
                WriteTraces(host, parsed, run, traces);
            }

            foreach (var run in runs)
            {
                WriteMissingInputs(
                    host,
                    run,
                    InputKinds.All,
                    $"what needs that was removed and not made anew without him; 'cope run --run {run.Name}' makes it when that is back"
                );
            }

            return erasures.FindIndex(erasure => erasure.IsInData(id)) is >= 0 and var holding
                ? open[holding].Context.Inputs.Data
                : null;
        }
        finally
        {
            foreach (var one in open)
            {
                one.Dispose();
            }
        }
    }

    /// <summary>Says which inputs of a run are gone.</summary>
    static void WriteMissingInputs(CommandHost host, RunDirectory run, InputKinds kinds, string consequence)
    {
        using var open = new RunSession(host, CreateRequest(run)).Open(isHeld: false);
        var inputs = open.Context.Inputs;
        var gone = inputs.Missing & kinds;
        string[] missing =
        [
            .. gone.HasFlag(InputKinds.Data) ? (string[])[$"the data folder {inputs.Data}"] : [],
            .. gone.HasFlag(InputKinds.Model) ? (string[])[$"the model {open.Context.Recipe.Model}"] : [],
            .. gone.HasFlag(InputKinds.Task) ? (string[])["the task or prompt file"] : [],
        ];
        if (missing.Length > 0)
        {
            host.Out.WriteLine($"{run.Name}: {string.Join(" and ", missing)} is gone: {consequence}");
        }
    }

    static string ForgetInParentCommand(RunDirectory run, string id) =>
        $"cope user forget {Path.GetDirectoryName(run.Name)} {DisplayFormat.ShellArgument(id)}";

    static bool IsSeedRun(RunDirectory run) => Path.GetFileName(run.Root).StartsWith("seed-", StringComparison.Ordinal);

    static RunDirectory NamedRun(CommandHost host, ParseResult parsed) =>
        new(Path.Combine(host.SearchFolders[0], parsed.GetValue(RunArgument)!), parsed.GetValue(RunArgument)!);

    /// <summary>The runs within a run's folder, several seeds or those of a sweep, and the run itself last.</summary>
    static List<RunDirectory> RunAndChildren(CommandHost host, ParseResult parsed)
    {
        var folder = NamedRun(host, parsed);
        var within = folder.ChildRuns().ToList();
        return within.Count > 0 && !File.Exists(folder.Recipe) ? within : [.. within, folder];
    }

    /// <summary>Those of them that know the user; where none does, the last, which says so.</summary>
    static List<RunDirectory> RunsWithUser(CommandHost host, ParseResult parsed)
    {
        var family = RunAndChildren(host, parsed);
        var known = family
            .Where(run => Inspect(host, run, erasure => erasure.ContainsUser(parsed.GetValue(UserArgument)!)))
            .ToList();
        return known.Count > 0 ? known : [family[^1]];
    }

    /// <summary>Runs of other seeds, or of the same sweep, that know him.</summary>
    static IEnumerable<RunDirectory> SiblingsWithUser(CommandHost host, ParseResult parsed, string id) =>
        NamedRun(host, parsed) is var folder && folder.ParentRun() is { } outer
            ? outer
                .ChildRuns()
                .Where(run => run.Root != folder.Root && Inspect(host, run, erasure => erasure.ContainsUser(id)))
            : [];

    static T Inspect<T>(CommandHost host, RunDirectory run, Func<UserErasure, T> look)
    {
        using var open = new RunSession(host, CreateRequest(run)).Open(isHeld: false);
        return look(new(host.Pipeline, open.Context));
    }

    static RunRequest CreateRequest(RunDirectory run) => new() { Run = run.Name, IsQuiet = true };

    static void WriteTraces(CommandHost host, ParseResult parsed, RunDirectory run, IReadOnlyList<UserTrace> traces)
    {
        var within = Path.GetRelativePath(NamedRun(host, parsed).Root, run.Root).Replace('\\', '/');
        foreach (var trace in traces)
        {
            host.Out.WriteLine(
                $"{(within == "." ? trace.Path : $"{within}/{trace.Path}"),-36} {trace.Count,5}  {trace.Description}"
            );
        }
    }
}
