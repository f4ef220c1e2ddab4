using System.CommandLine;
using CoPe.Cli.Display;
using CoPe.Cli.Failures;
using CoPe.Cli.Hosting;
using CoPe.Cli.Sessions;
using CoPe.Experiments.Data;
using CoPe.Experiments.Data.Importing;
using CoPe.Experiments.Data.Samples;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Tasks;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope personalize --history FOLDER</c>.</summary>
static class PersonalizeVerb
{
    const string RecipeName = "personalize";

    /// <summary>Invented people who write on the same task, for want of public data.</summary>
    static readonly SampleOptions Sample = new()
    {
        Users = 1,
        MinHistory = 2,
        MaxHistory = 2,
        OtherUsers = 200,
        OtherHistory = 0,
        Documents = 0,
        Instructions = 0,
    };

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

    static readonly Option<string> TaskOption = new("--task")
    {
        Description = "Shipped task or task file, of one input field.",
        HelpName = "name",
        DefaultValueFactory = _ => "topic_writing",
    };

    static readonly Option<string?> DataOption = new("--data")
    {
        Description = "Public data of the task; by default sample data.",
        HelpName = "folder",
    };

    public static Command Create(CommandHost host)
    {
        var command = new Command(
            "personalize",
            "Write like me: train an adapter on a folder of one's own texts, "
                + "after a task-adaptive model on public data of the same task."
        );
        command.AddOptions(HistoryOption, NameOption, TaskOption, DataOption);

        var options = RunOptions.AddTo(command, takesRecipe: false, runsAll: true).AddJson(command);
        command.SetAction(parsed =>
        {
            var source = new Source(
                parsed.GetValue(NameOption)!,
                host.PathOf(parsed.GetValue(HistoryOption)!),
                parsed.GetValue(TaskOption)!,
                parsed.GetValue(DataOption)
            );
            if (string.IsNullOrWhiteSpace(source.Person))
            {
                throw new UsageException("--name is empty: name the person, for example --name me");
            }

            var request = ReadRequest(options, parsed, source);
            var context = new RunSession(host, request).Execute(
                (pipeline, context) => pipeline.Run(context),
                writeData: folder => WriteData(host, request, source, folder)
            );
            ResultsView.Write(host, context, request.IsJson);
            host.Out.WriteLine($"next     cope chat {request.Run} --user {DisplayFormat.ShellArgument(source.Person)}");
            return ExitCode.Ok;
        });
        return command;
    }

    static RunRequest ReadRequest(RunOptions options, ParseResult parsed, Source source)
    {
        var request = options.Read(parsed, RecipeName);
        var run = request.Run ?? Path.Combine("runs", RunDirectory.SafeName(source.Person));
        string[] inputs = [$"task={source.Task}", $"data={Path.Combine(run, "data")}"];
        return request with { Run = run, Overrides = [.. inputs, .. request.Overrides] };
    }

    static void WriteData(CommandHost host, RunRequest request, Source source, string folder)
    {
        var run = request.FindFolder(host)!;
        if (ForgottenUsers.Read(run).Contains(source.Person))
        {
            throw new RunException(
                $"{run.Name} has forgotten '{source.Person}', and their texts do not come back there: "
                    + "start a new run in another folder with --run FOLDER"
            );
        }

        var definition = TaskFile.Read(InputPaths.FindTask(source.Task, host.SearchFolders));
        var others = source.PublicData is { } publicData
            ? ReadDataset(host.FindFolder(publicData), definition)
            : CreateSampleData(run, definition);
        var (check, problems) = PersonalDataset.Write(folder, definition, (source.Person, source.Texts), others);
        foreach (var problem in problems)
        {
            host.WriteMessage(problem);
        }

        ImportView.WriteCheck(host with { Out = host.Error }, check);
    }

    static LampDataset CreateSampleData(RunDirectory run, TaskDefinition definition)
    {
        if (SampleData.Tasks.All(task => task.Name != definition.Task.Name))
        {
            var known = string.Join(", ", SampleData.Tasks.Select(task => task.Name));
            throw new UsageException(
                $"there are no sample data of task {definition.Task.Name}: "
                    + $"name public data with --data FOLDER, or a task of {known}"
            );
        }

        var folder = Path.Combine(run.Root, ".sample");
        try
        {
            SampleData.Write(folder, Sample);
            return ReadDataset(folder, definition);
        }
        finally
        {
            if (Directory.Exists(folder))
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    static LampDataset ReadDataset(string folder, TaskDefinition definition) =>
        LampFiles.Read(folder, definition.Task, new() { RequireGolds = false, OnUserSkipped = _ => { } });

    /// <summary>What the command line names.</summary>
    /// <param name="Person">Name of the person.</param>
    /// <param name="Texts">Folder of their texts.</param>
    /// <param name="Task">Shipped task or task file.</param>
    /// <param name="PublicData">Folder of other users' data, or null for sample data.</param>
    sealed record Source(string Person, string Texts, string Task, string? PublicData);
}
