using System.CommandLine;
using CoPe.Cli.Display;
using CoPe.Cli.Failures;
using CoPe.Cli.Hosting;
using CoPe.Cli.Sessions;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Tasks;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope personalize --history FOLDER</c>.</summary>
static class PersonalizeVerb
{
    const string RecipeName = "personalize";

    static readonly Option<string> HistoryOption = new("--history")
    {
        Description = "Folder of .txt and .md files, a text each; headings are requests.",
        HelpName = "folder",
        Required = true,
    };

    static readonly Option<string> NameOption = new("--name")
    {
        Description = "Name of the person.",
        HelpName = "name",
        DefaultValueFactory = _ => "me",
    };

    static readonly Option<string?> TaskOption = new("--task")
    {
        Description =
            "Shipped task or task file, of one input field; by default that of the public data, else own_writing.",
        HelpName = "name",
    };

    static readonly Option<string?> DataOption = new("--data")
    {
        Description =
            "Public data of a task, on which a task-adaptive model is trained first; "
            + "by default the base model takes its place.",
        HelpName = "folder",
    };

    static readonly Option<bool> ChooseOption = new("--choose")
    {
        Description = "Chooses rate, epochs and length of answers again, in a run that has chosen them.",
    };

    public static Command Create(CommandHost host)
    {
        var command = new Command(
            "personalize",
            "Write like me: train an adapter on a folder of one's own texts. Rate, epochs and length of answers "
                + "are chosen on the texts, unless --set gives them."
        );
        command.AddOptions(HistoryOption, NameOption, TaskOption, DataOption, ChooseOption);

        var options = RunOptions.AddTo(command, takesRecipe: false, runsAll: true).AddJson(command);
        command.SetAction(parsed =>
        {
            var source = ReadSource(host, parsed);
            var request = AddInputs(host, options.Read(host, parsed, RecipeName), source);
            var context = new PersonalizeRunner(host, request, source).Execute();
            if (request.IsJson)
            {
                ResultsView.Write(host, context, isJson: true);
                return ExitCode.Ok;
            }

            PersonalView.Write(host, context);
            host.Out.WriteLine(
                $"next      cope chat {request.Run} --user {DisplayFormat.ShellArgument(source.Person)}"
            );
            return ExitCode.Ok;
        });
        return command;
    }

    static PersonalSource ReadSource(CommandHost host, ParseResult parsed)
    {
        var source = new PersonalSource(
            parsed.GetValue(NameOption)!,
            host.PathOf(parsed.GetValue(HistoryOption)!),
            parsed.GetValue(TaskOption),
            parsed.GetValue(DataOption),
            parsed.GetValue(ChooseOption)
        );
        if (string.IsNullOrWhiteSpace(source.Person))
        {
            throw new UsageException("--name is empty: name the person, for example --name me");
        }

        return source.Task is null && source.PublicData is { } folder
            ? source with
            {
                Task = FindTaskOf(host.FindFolder(folder)),
            }
            : source;
    }

    /// <summary>Adds the run's folder and the keys that follow from the source; those of --set win.</summary>
    static RunRequest AddInputs(CommandHost host, RunRequest request, PersonalSource source)
    {
        var run = request.Run ?? FindRun(host, source.Person);
        var inputs = new List<string> { $"data={Path.Combine(run, "data")}" };
        if (source.Task is not null)
        {
            inputs.Add($"task={source.Task}");
        }

        if (source.PublicData is not null)
        {
            inputs.Add("tam.adapter=null");
        }

        return request with
        {
            Run = run,
            Overrides = [.. inputs, .. request.Overrides],
        };
    }

    /// <summary>The run of a person; one that an earlier version made keeps the name that it gave.</summary>
    static string FindRun(CommandHost host, string person)
    {
        var today = Path.Combine("runs", RunDirectory.SafeName(person));
        var former = Path.Combine("runs", FormerUserNames.Create(person));
        var isFormer =
            !Directory.Exists(host.PathOf(today)) && new FormerUserNames(new(host.PathOf(former))).Knows(person);
        return isFormer ? former : today;
    }

    /// <summary>The only task in a folder of public data that has one input field or none.</summary>
    static string FindTaskOf(string folder)
    {
        var taskFile = Path.Combine(folder, TaskFile.DefaultName);
        if (File.Exists(taskFile))
        {
            return taskFile;
        }

        var found = LampTasks
            .All.Where(task => task.InputFields.Count <= 1 && Directory.Exists(Path.Combine(folder, task.Name)))
            .Select(task => task.Name)
            .ToList();
        if (found is [var only])
        {
            return only;
        }

        var held = found.Count == 0 ? "no folder of a shipped task" : string.Join(", ", found);
        throw new UsageException($"--data {folder} holds {held}: name the task that your texts are like with --task");
    }
}
