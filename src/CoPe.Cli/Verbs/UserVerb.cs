using System.CommandLine;
using CoPe.Cli.Display;
using CoPe.Runs;
using CoPe.Runs.Privacy;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope user ls|show|forget</c>.</summary>
static class UserVerb
{
    static readonly Argument<string> Run = new("run") { Description = "Folder of the run." };
    static readonly Argument<string> User = new("user") { Description = "Id of the user." };
    static readonly Option<bool> IsDataToo = new("--data") { Description = "Also from the data folder of the run, where that lies elsewhere." };

    public static Command Create(CommandHost host) => new("user", "List what a run holds of its users, and erase a user from it.")
    {
        List(host), Show(host), Forget(host),
    };

    static Command List(CommandHost host)
    {
        var command = new Command("ls", "List the users of a run: history items, queries, and in how many places there is something of theirs.") { Run };
        command.SetAction(parsed =>
        {
            var family = Family(host, parsed);
            var listed = family.Select(run => Look(host, run, erasure => erasure.List().ToList())).ToList();
            host.Out.WriteLine($"{"user",-24} {"items",7} {"queries",8} {"places",7}");
            foreach (var user in listed.SelectMany(run => run).GroupBy(pair => pair.User.Id))
                host.Out.WriteLine($"{user.Key,-24} {user.First().User.Profile.Count,7} {user.First().User.Queries.Count,8} {user.Sum(pair => pair.Traces.Count),7}");
            foreach (var run in family) TellGone(host, run, StageFiles.Data, "its users are those whom its files name, their items and queries are not known");
            return ExitCode.Ok;
        });
        return command;
    }

    static Command Show(CommandHost host)
    {
        var command = new Command("show", "List everything in a run that is derived from a user.") { Run, User };
        command.SetAction(parsed =>
        {
            foreach (var run in Known(host, parsed)) Write(host, parsed, run, Look(host, run, erasure => erasure.Show(parsed.GetValue(User)!)));
            return ExitCode.Ok;
        });
        return command;
    }

    static Command Forget(CommandHost host)
    {
        var command = new Command("forget", "Erase a user and everything derived from him from a run and the runs within it; results and report are made anew without him.") { Run, User, IsDataToo };
        command.SetAction(parsed =>
        {
            var (id, isDataToo) = (parsed.GetValue(User)!, parsed.GetValue(IsDataToo));
            var beside = Beside(host, parsed, id).ToList();
            if (isDataToo && beside.Find(IsOfSeed) is { } other && IsOfSeed(Folder(host, parsed)))
                throw new RunException($"{other.Name} reads the same data and still holds him: '{AroundCommand(other, id)} --data' erases him from all runs there; without --data he is erased from this one alone");
            var elsewhere = Erase(host, parsed, id, isDataToo);
            host.Out.WriteLine("erased");
            foreach (var run in beside) host.Out.WriteLine($"{run.Name} still holds him; '{AroundCommand(run, id)}' erases him from all runs there");
            if (elsewhere is not null && !isDataToo) host.Out.WriteLine($"the data folder {elsewhere} still holds him, and this run will not read him again; --data erases him there too");
            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>Erases him from all runs of the folder, each under its lock until the last is whole again. Returns a data folder that still holds him.</summary>
    static string? Erase(CommandHost host, ParseResult parsed, string id, bool isDataToo)
    {
        var runs = Known(host, parsed);
        var open = new List<OpenRun>();
        try
        {
            foreach (var run in runs) open.Add(new RunSession(host, Request(run)).Open(isHeld: true));
            var erasures = open.Select(one => new UserErasure(host.Pipeline, one.Context)).ToList();
            var gone = UserErasure.Forget(erasures, Folder(host, parsed), id, isDataToo);
            foreach (var (run, traces) in runs.Zip(gone)) Write(host, parsed, run, traces);
            foreach (var run in runs) TellGone(host, run, StageFiles.All, $"what needs that was removed and not made anew without him; 'cope run --run {run.Name}' makes it when that is back");
            return erasures.FindIndex(erasure => erasure.IsInData(id)) is >= 0 and var holding ? open[holding].Context.Inputs.Data : null;
        }
        finally
        {
            foreach (var one in open) one.Dispose();
        }
    }

    /// <summary>Says which inputs of a run are gone.</summary>
    static void TellGone(CommandHost host, RunDirectory run, StageFiles kinds, string consequence)
    {
        using var open = new RunSession(host, Request(run)).Open(isHeld: false);
        var inputs = open.Context.Inputs;
        var gone = inputs.Gone & kinds;
        string[] missing = [.. gone.HasFlag(StageFiles.Data) ? (string[])[$"the data folder {inputs.Data}"] : [], .. gone.HasFlag(StageFiles.Model) ? (string[])[$"the model {open.Context.Recipe.Model}"] : [], .. gone.HasFlag(StageFiles.Task) ? (string[])["the task or prompt file"] : []];
        if (missing.Length > 0) host.Out.WriteLine($"{run.Name}: {string.Join(" and ", missing)} is gone: {consequence}");
    }

    static string AroundCommand(RunDirectory run, string id) => $"cope user forget {Path.GetDirectoryName(run.Name)} {Words.Argument(id)}";

    static bool IsOfSeed(RunDirectory run) => Path.GetFileName(run.Root).StartsWith("seed-", StringComparison.Ordinal);

    static RunDirectory Folder(CommandHost host, ParseResult parsed) => new(Path.Combine(host.Roots[0], parsed.GetValue(Run)!), parsed.GetValue(Run)!);

    /// <summary>The runs within a run's folder, several seeds or those of a sweep, and the run itself last.</summary>
    static List<RunDirectory> Family(CommandHost host, ParseResult parsed)
    {
        var folder = Folder(host, parsed);
        var within = folder.Within().ToList();
        return within.Count > 0 && !File.Exists(folder.Recipe) ? within : [.. within, folder];
    }

    /// <summary>Those of them that know the user; where none does, the last, which says so.</summary>
    static List<RunDirectory> Known(CommandHost host, ParseResult parsed)
    {
        var family = Family(host, parsed);
        var known = family.Where(run => Look(host, run, erasure => erasure.Knows(parsed.GetValue(User)!))).ToList();
        return known.Count > 0 ? known : [family[^1]];
    }

    /// <summary>Runs of other seeds, or of the same sweep, that know him.</summary>
    static IEnumerable<RunDirectory> Beside(CommandHost host, ParseResult parsed, string id) =>
        Folder(host, parsed) is var folder && folder.Around() is { } outer ? outer.Within().Where(run => run.Root != folder.Root && Look(host, run, erasure => erasure.Knows(id))) : [];

    static T Look<T>(CommandHost host, RunDirectory run, Func<UserErasure, T> look)
    {
        using var open = new RunSession(host, Request(run)).Open(isHeld: false);
        return look(new(host.Pipeline, open.Context));
    }

    static RunRequest Request(RunDirectory run) => new() { Run = run.Name, IsQuiet = true };

    static void Write(CommandHost host, ParseResult parsed, RunDirectory run, IReadOnlyList<UserTrace> traces)
    {
        var within = Path.GetRelativePath(Folder(host, parsed).Root, run.Root).Replace('\\', '/');
        foreach (var trace in traces) host.Out.WriteLine($"{(within == "." ? trace.Path : $"{within}/{trace.Path}"),-36} {trace.Count,5}  {trace.What}");
    }
}
