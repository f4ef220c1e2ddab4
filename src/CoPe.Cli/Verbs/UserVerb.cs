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
            var listed = Family(host, parsed).Select(run => Look(host, run, erasure => erasure.List().ToList())).ToList();
            host.Out.WriteLine($"{"user",-24} {"items",7} {"queries",8} {"places",7}");
            foreach (var user in listed.SelectMany(run => run).GroupBy(pair => pair.User.Id))
                host.Out.WriteLine($"{user.Key,-24} {user.First().User.Profile.Count,7} {user.First().User.Queries.Count,8} {user.Sum(pair => pair.Traces.Count),7}");
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
            var id = parsed.GetValue(User)!;
            var runs = Known(host, parsed);
            string? elsewhere = null;
            foreach (var (run, place) in runs.Select((run, place) => (run, place)))
            {
                IReadOnlyList<UserTrace> gone = [];
                // The data go last: by them he is known in the other runs.
                var isDataToo = parsed.GetValue(IsDataToo) && place == runs.Count - 1;
                var context = new RunSession(host, Request(run)).Work((pipeline, context) => gone = new UserErasure(pipeline, context).Forget(id, isDataToo));
                Write(host, parsed, run, gone);
                if (new UserErasure(host.Pipeline, context).IsInData(id)) elsewhere = context.Inputs.Data;
            }

            UserErasure.ForgetTogether(Folder(host, parsed), id);
            host.Out.WriteLine("erased");
            foreach (var beside in Beside(host, parsed, id)) host.Out.WriteLine($"{beside.Name} still holds him; 'cope user forget {Path.GetDirectoryName(beside.Name)} {Words.Argument(id)}' erases him from all runs there");
            if (elsewhere is not null && !parsed.GetValue(IsDataToo)) host.Out.WriteLine($"the data folder {elsewhere} still holds him, and this run will not read him again; --data erases him there too");
            return ExitCode.Ok;
        });
        return command;
    }

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

    static T Look<T>(CommandHost host, RunDirectory run, Func<UserErasure, T> look) => new RunSession(host, Request(run)).Look(context => look(new(host.Pipeline, context)));

    static RunRequest Request(RunDirectory run) => new() { Run = run.Name, IsQuiet = true };

    static void Write(CommandHost host, ParseResult parsed, RunDirectory run, IReadOnlyList<UserTrace> traces)
    {
        var within = Path.GetRelativePath(Folder(host, parsed).Root, run.Root).Replace('\\', '/');
        foreach (var trace in traces) host.Out.WriteLine($"{(within == "." ? trace.Path : $"{within}/{trace.Path}"),-36} {trace.Count,5}  {trace.What}");
    }
}
