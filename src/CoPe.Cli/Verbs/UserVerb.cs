using System.CommandLine;
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
        command.SetAction(parsed => new RunSession(host, Request(parsed)).Look(context =>
        {
            host.Out.WriteLine($"{"user",-24} {"items",7} {"queries",8} {"places",7}");
            foreach (var (user, traces) in new UserErasure(host.Pipeline, context).List()) host.Out.WriteLine($"{user.Id,-24} {user.Profile.Count,7} {user.Queries.Count,8} {traces.Count,7}");
            return ExitCode.Ok;
        }));
        return command;
    }

    static Command Show(CommandHost host)
    {
        var command = new Command("show", "List everything in a run that is derived from a user.") { Run, User };
        command.SetAction(parsed => new RunSession(host, Request(parsed)).Look(context =>
        {
            Write(host, new UserErasure(host.Pipeline, context).Show(parsed.GetValue(User)!));
            return ExitCode.Ok;
        }));
        return command;
    }

    static Command Forget(CommandHost host)
    {
        var command = new Command("forget", "Erase a user and everything derived from him from a run; results and report are made anew without him.") { Run, User, IsDataToo };
        command.SetAction(parsed =>
        {
            var id = parsed.GetValue(User)!;
            IReadOnlyList<UserTrace> gone = [];
            var context = new RunSession(host, Request(parsed)).Work((pipeline, context) => gone = new UserErasure(pipeline, context).Forget(id, parsed.GetValue(IsDataToo)));
            Write(host, gone);
            host.Out.WriteLine("erased");
            var isElsewhere = !Path.GetFullPath(context.Inputs.Data).StartsWith(context.Run.Root, StringComparison.Ordinal);
            if (isElsewhere && !parsed.GetValue(IsDataToo)) host.Out.WriteLine($"the data folder {context.Inputs.Data} still holds him, and this run will not read him again; --data erases him there too");
            return ExitCode.Ok;
        });
        return command;
    }

    static RunRequest Request(ParseResult parsed) => new() { Run = parsed.GetValue(Run), IsQuiet = true };

    static void Write(CommandHost host, IReadOnlyList<UserTrace> traces)
    {
        foreach (var trace in traces) host.Out.WriteLine($"{trace.Path,-36} {trace.Count,5}  {trace.What}");
    }
}
