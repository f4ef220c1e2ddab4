using System.CommandLine;
using CoPe.Cli.Display;
using CoPe.Cli.Failures;
using CoPe.Cli.Hosting;
using CoPe.Cli.Sessions;
using CoPe.Experiments.Runs;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope user add|update</c>: a user more in a run, or a user's longer history.</summary>
static class UserAddVerb
{
    static readonly Argument<string> RunArgument = new("run") { Description = "Folder of the run." };

    static readonly Option<string?> HistoryOption = new("--history")
    {
        Description =
            "Folder of texts, or a .txt, .md, .csv, .tsv, .jsonl or .json file: rows with the task's fields, "
            + "or users in the benchmark's format.",
        HelpName = "path",
    };

    static readonly Option<string?> NameOption = new("--name")
    {
        Description = "Id of the user; by default that in the file, else the name of the file or folder.",
        HelpName = "id",
    };

    static readonly Option<int> QueriesOption = new("--queries")
    {
        Description = "How many of the latest texts become queries, to measure the answers by; 0 trains on all.",
        HelpName = "n",
    };

    static readonly Option<bool> TakeBackOption = new("--take-back")
    {
        Description =
            "Takes in a user whom the run has forgotten; without --history from the data, if they hold the user.",
    };

    static readonly Option<bool> QuietOption = new("--quiet")
    {
        Description = "No progress, only warnings and results.",
    };

    public static Command CreateAdd(CommandHost host)
    {
        var command = new Command(
            "add",
            "Add a user to a run: only they are trained, sampled and answered; the other users stay as they are."
        )
        {
            RunArgument,
            HistoryOption,
            NameOption,
            QueriesOption,
            TakeBackOption,
            QuietOption,
        };
        command.SetAction(parsed => Execute(host, parsed, isUpdate: false, parsed.GetValue(TakeBackOption)));
        return command;
    }

    public static Command CreateUpdate(CommandHost host)
    {
        var command = new Command(
            "update",
            "Replace the history of a user of a run: only their part is made again. Queries they have stay."
        )
        {
            RunArgument,
            HistoryOption,
            NameOption,
            QueriesOption,
            QuietOption,
        };
        command.SetAction(parsed => Execute(host, parsed, isUpdate: true, takesBack: false));
        return command;
    }

    static int Execute(CommandHost host, ParseResult parsed, bool isUpdate, bool takesBack)
    {
        var name = parsed.GetValue(NameOption);
        var history = parsed.GetValue(HistoryOption);
        if (history is null && !(takesBack && name is not null))
        {
            throw new UsageException("name the user's texts with --history, a folder or a file");
        }

        if (name is not null && string.IsNullOrWhiteSpace(name))
        {
            throw new UsageException("--name is empty: name the user, for example --name ada");
        }

        if (parsed.GetValue(QueriesOption) < 0)
        {
            throw new UsageException($"--queries is {parsed.GetValue(QueriesOption)}; it must be 0 or more");
        }

        var run = parsed.GetValue(RunArgument)!;
        var change = new UserChange
        {
            Source = history is null ? null : host.PathOf(history),
            Name = name,
            Queries = parsed.GetValue(QueriesOption),
            IsUpdate = isUpdate,
            TakesBack = takesBack,
        };
        UserChangeResult? result = null;
        var request = new RunRequest { Run = run, IsQuiet = parsed.GetValue(QuietOption) };
        new RunSession(host, request).Execute(
            (pipeline, context) => result = new UserChanger(pipeline, context).Apply(change)
        );
        foreach (var problem in result!.Problems)
        {
            host.WriteMessage(problem);
        }

        var user = DisplayFormat.ShellArgument(result.User);
        host.Out.WriteLine(
            $"{(isUpdate ? "updated" : "added"),-8} {result.User}: "
                + $"{result.Items} history items, {result.Queries} queries"
        );
        host.Out.WriteLine($"next     cope chat {run} --user {user}");
        return ExitCode.Ok;
    }
}
