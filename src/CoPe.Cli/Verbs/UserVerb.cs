using System.CommandLine;
using CoPe.Cli.Display;
using CoPe.Cli.Hosting;
using CoPe.Cli.Sessions;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Erasure;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope user ls|show|add|update|forget</c>.</summary>
static class UserVerb
{
    static readonly Argument<string> RunArgument = new("run") { Description = "Folder of the run." };
    static readonly Argument<string> UserArgument = new("user") { Description = "Id of the user." };
    static readonly Option<bool> DataOption = new("--data")
    {
        Description = "Also from the data folder of the run, where that is elsewhere.",
    };

    public static Command Create(CommandHost host) =>
        new("user", "List what a run holds of its users, add or update one, and erase one from it.")
        {
            CreateList(host),
            CreateShow(host),
            UserAddVerb.CreateAdd(host),
            UserAddVerb.CreateUpdate(host),
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
            List(host, RunFamily.Read(host, parsed.GetValue(RunArgument)!));
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
            var family = RunFamily.Read(host, parsed.GetValue(RunArgument)!);
            var user = parsed.GetValue(UserArgument)!;
            foreach (var run in family.ListWithUser(user))
            {
                WriteTraces(host, family, run, family.Inspect(run, erasure => erasure.Show(user)));
            }

            return ExitCode.Ok;
        });
        return command;
    }

    static Command CreateForget(CommandHost host)
    {
        var command = new Command(
            "forget",
            "Erase a user and everything derived from them from a run and the runs within it; "
                + "results and report are rebuilt without them."
        )
        {
            RunArgument,
            UserArgument,
            DataOption,
        };
        command.SetAction(parsed =>
        {
            var family = RunFamily.Read(host, parsed.GetValue(RunArgument)!);
            Forget(host, family, parsed.GetValue(UserArgument)!, parsed.GetValue(DataOption));
            return ExitCode.Ok;
        });
        return command;
    }

    static void List(CommandHost host, RunFamily family)
    {
        var users = family
            .Runs.SelectMany(run => family.Inspect(run, erasure => erasure.List().ToList()))
            .GroupBy(pair => pair.User.Id)
            .ToList();
        host.Out.WriteLine($"{"user",-24} {"items",7} {"queries",8} {"places",7}");
        foreach (var places in users)
        {
            var user = places.First().User;
            var traces = places.Sum(pair => pair.Traces.Count);
            host.Out.WriteLine($"{user.Id,-24} {user.History.Count,7} {user.Queries.Count,8} {traces,7}");
        }

        foreach (var run in family.Runs)
        {
            WriteMissingInputs(
                host,
                family,
                run,
                InputKinds.Data,
                "its users are those in its own files, their items and queries are not known"
            );
        }
    }

    static void Forget(CommandHost host, RunFamily family, string user, bool isDataToo)
    {
        var siblings = family.ListSiblingsWithUser(user).ToList();
        if (isDataToo && IsSeedRun(family.Named) && siblings.Find(IsSeedRun) is { } sibling)
        {
            throw new RunException(
                $"{sibling.Name} reads the same data and still holds the user: "
                    + $"'{ForgetInParentCommand(sibling, user)} --data' erases them from all runs there; "
                    + "without --data they are erased from this one alone"
            );
        }

        RefuseMissingData(family, user, isDataToo);
        var (remainingData, notSearched, doubtful) = Erase(host, family, user, isDataToo);
        host.Out.WriteLine(
            notSearched.Count == 0
                ? "erased"
                : $"erased from {family.Named.Name}; not looked into: {string.Join(", ", notSearched)}"
        );
        if (doubtful.Count > 0)
        {
            host.Out.WriteLine($"may be theirs and was left, check it: {string.Join(", ", doubtful)}");
        }

        foreach (var run in siblings)
        {
            host.Out.WriteLine(
                $"{run.Name} still holds the user; '{ForgetInParentCommand(run, user)}' erases them from all runs there"
            );
        }

        if (remainingData is not null && !isDataToo)
        {
            host.Out.WriteLine(
                $"the data folder {remainingData} still holds the user, and this run will not read them again; "
                    + "--data erases them there too"
            );
        }
    }

    /// <summary>What is asked for is not half done: data that cannot be looked into may still hold the user.</summary>
    static void RefuseMissingData(RunFamily family, string user, bool isDataToo)
    {
        foreach (var run in isDataToo ? family.ListWithUser(user) : [])
        {
            if (family.Inspect(run, erasure => erasure.MissingData) is { } missing)
            {
                throw new RunException(
                    $"--data also erases {user} from the data folder of {run.Name}, which is not at {missing}: say "
                        + $"where it is now, 'cope run --run {run.Name} --set data=FOLDER', or leave --data out"
                );
            }
        }
    }

    /// <summary>
    /// Erases a user from all runs of the folder, each under its lock until the last is complete again. Returns a data
    /// folder that still holds the user, what could not be looked into, and what may be theirs.
    /// </summary>
    static (string? Remaining, List<string> NotSearched, List<string> Doubtful) Erase(
        CommandHost host,
        RunFamily family,
        string user,
        bool isDataToo
    )
    {
        var runs = family.ListWithUser(user);
        var opened = new List<OpenedRun>();
        try
        {
            foreach (var run in runs)
            {
                opened.Add(family.Open(run, takesLock: true));
            }

            var erasures = opened.Select(run => new UserErasure(host.Pipeline, run.Context)).ToList();
            var erased = UserErasure.Forget(erasures, family.Named, user, isDataToo);
            foreach (var (run, traces) in runs.Zip(erased))
            {
                WriteTraces(host, family, run, traces);
            }

            foreach (var run in runs)
            {
                WriteMissingInputs(
                    host,
                    family,
                    run,
                    InputKinds.Files,
                    "what needs that was removed and not rebuilt without the user; "
                        + $"'cope run --run {run.Name}' rebuilds it when that is back"
                );
            }

            foreach (var (run, erasure) in runs.Zip(erasures).Where(one => one.Second.RemovedStages.Count > 0))
            {
                host.Out.WriteLine(
                    $"{run.Name}: could not be rebuilt without the user and was removed: "
                        + $"{string.Join(", ", erasure.RemovedStages)}; 'cope run --run {run.Name}' makes it again"
                );
            }

            var remaining = erasures.FindIndex(erasure => erasure.IsInData(user));
            List<string> notSearched =
            [
                .. erasures
                    .Select(erasure => erasure.MissingData)
                    .OfType<string>()
                    .Distinct()
                    .Select(missing => $"the data folder {missing} (it is not there)"),
                .. runs.Zip(erasures)
                    .SelectMany(one => one.Second.NotSearched.Select(path => $"{one.First.Name}/{path}")),
            ];
            return (
                remaining < 0 ? null : opened[remaining].Context.Inputs.Data,
                notSearched,
                [
                    .. runs.Zip(erasures)
                        .SelectMany(one => one.Second.Doubtful.Select(path => $"{one.First.Name}/{path}")),
                ]
            );
        }
        finally
        {
            foreach (var run in opened)
            {
                run.Dispose();
            }
        }
    }

    /// <summary>Says which inputs of a run are missing, and what follows from it.</summary>
    static void WriteMissingInputs(
        CommandHost host,
        RunFamily family,
        RunDirectory run,
        InputKinds kinds,
        string consequence
    )
    {
        using var opened = family.Open(run, takesLock: false);
        var inputs = opened.Context.Inputs;
        var missing = inputs.Missing & kinds;
        var names = new List<string>();
        if (missing.HasFlag(InputKinds.Data))
        {
            names.Add($"the data folder {inputs.Data}");
        }

        if (missing.HasFlag(InputKinds.Model))
        {
            names.Add($"the model {opened.Context.Recipe.Model}");
        }

        if (missing.HasFlag(InputKinds.Task) || missing.HasFlag(InputKinds.Prompt))
        {
            names.Add("the task or prompt file");
        }

        if (names.Count > 0)
        {
            host.Out.WriteLine($"{run.Name}: {string.Join(" and ", names)} is missing: {consequence}");
        }
    }

    static void WriteTraces(CommandHost host, RunFamily family, RunDirectory run, IReadOnlyList<UserTrace> traces)
    {
        var folder = Path.GetRelativePath(family.Named.Root, run.Root).Replace('\\', '/');
        foreach (var trace in traces)
        {
            var path = folder == "." ? trace.Path : $"{folder}/{trace.Path}";
            host.Out.WriteLine($"{path,-36} {trace.Count,5}  {trace.Description}");
        }
    }

    static string ForgetInParentCommand(RunDirectory run, string user) =>
        $"cope user forget {Path.GetDirectoryName(run.Name)} {DisplayFormat.ShellArgument(user)}";

    static bool IsSeedRun(RunDirectory run) => Path.GetFileName(run.Root).StartsWith("seed-", StringComparison.Ordinal);

    /// <summary>A run and the runs within its folder: those of several seeds, or of a sweep.</summary>
    /// <param name="Host">The environment of the command.</param>
    /// <param name="Named">The run on the command line.</param>
    /// <param name="Runs">The runs within its folder, and the run itself last where it has a recipe.</param>
    sealed record RunFamily(CommandHost Host, RunDirectory Named, IReadOnlyList<RunDirectory> Runs)
    {
        public static RunFamily Read(CommandHost host, string path)
        {
            var named = InterruptedRebuild.OpenRun(host, path, duringErasure: true);
            var children = named.ChildRuns().ToList();
            var isFolderOfRuns = children.Count > 0 && !File.Exists(named.Recipe);
            return new(host, named, isFolderOfRuns ? children : [.. children, named]);
        }

        /// <summary>Those that know the user; where none does, the last, whose error says so.</summary>
        public List<RunDirectory> ListWithUser(string user)
        {
            var found = Runs.Where(run => ContainsUser(run, user)).ToList();
            return found.Count > 0 ? found : [Runs[^1]];
        }

        /// <summary>Runs of other seeds, or of the same sweep, that know the user.</summary>
        public IEnumerable<RunDirectory> ListSiblingsWithUser(string user) =>
            Named.ParentRun() is { } parent
                ? parent.ChildRuns().Where(run => run.Root != Named.Root && ContainsUser(run, user))
                : [];

        public T Inspect<T>(RunDirectory run, Func<UserErasure, T> read)
        {
            using var opened = Open(run, takesLock: false);
            return read(new(Host.Pipeline, opened.Context));
        }

        public OpenedRun Open(RunDirectory run, bool takesLock) =>
            new RunSession(Host, new() { Run = run.Name, IsQuiet = true }).Open(takesLock);

        bool ContainsUser(RunDirectory run, string user) => Inspect(run, erasure => erasure.ContainsUser(user));
    }
}
