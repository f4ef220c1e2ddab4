using System.CommandLine;
using CoPe.Cli.Display;
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

    /// <summary>Invented people who write on the same task, where no public data are named.</summary>
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

    public static Command Create(CommandHost host)
    {
        var command = new Command(
            "personalize",
            "Write like me: make an adapter from a folder of one's own texts, and a public task for the task-adaptive model."
        );
        var history = new Option<string>("--history")
        {
            Description = "Folder of .txt and .md files, a text each; headings are requests.",
            HelpName = "folder",
            Required = true,
        };
        var name = new Option<string>("--name")
        {
            Description = "Name of the person.",
            HelpName = "name",
            DefaultValueFactory = _ => "me",
        };
        var task = new Option<string>("--task")
        {
            Description = "Shipped task or task file, of one input field.",
            HelpName = "name",
            DefaultValueFactory = _ => "topic_writing",
        };
        var data = new Option<string?>("--data")
        {
            Description = "Public data of the task; by default invented ones.",
            HelpName = "folder",
        };
        foreach (var option in (Option[])[history, name, task, data])
        {
            command.Options.Add(option);
        }

        var options = RunOptions.AddTo(command, takesRecipe: false, runsAll: true).AddJson(command);
        command.SetAction(parsed =>
        {
            var person = (
                Name: parsed.GetValue(name)!,
                Folder: Path.Combine(host.SearchFolders[0], parsed.GetValue(history)!)
            );
            if (person.Name.Trim().Length == 0)
            {
                throw new UsageException("--name is empty: name the person, for example --name me");
            }

            var request = options.Read(parsed, RecipeName);
            request = request with { Run = request.Run ?? Path.Combine("runs", RunDirectory.SafeName(person.Name)) };
            string[] own = [$"task={parsed.GetValue(task)}", $"data={Path.Combine(request.Run, "data")}"];
            request = request with { Overrides = [.. own, .. request.Overrides] };
            var context = new RunSession(host, request).Execute(
                (pipeline, context) => pipeline.Run(context),
                prepare: run => WriteData(host, request, run, person, (parsed.GetValue(task)!, parsed.GetValue(data)))
            );
            ResultsView.Write(host, context, request.IsJson);
            host.Out.WriteLine($"next     cope chat {request.Run} --user {DisplayFormat.ShellArgument(person.Name)}");
            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>
    /// Writes the data aside, has the run judge them there, and puts them in the place of those before: a run that
    /// refuses, or a kill, leaves the data that its stages were made from.
    /// </summary>
    static void WriteData(
        CommandHost host,
        RunRequest request,
        RunDirectory run,
        (string Name, string Folder) person,
        (string Task, string? Data) named
    )
    {
        if (ForgottenUsers.Read(run).Contains(person.Name))
        {
            throw new RunException(
                $"{run.Name} has forgotten '{person.Name}', and his texts do not come back there: start a new run in another folder with --run FOLDER"
            );
        }

        var definition = TaskFile.Read(InputPaths.FindTask(named.Task, host.SearchFolders));
        var others = named.Data is { } folder
            ? ReadDataset(host.FindFolder(folder), definition)
            : CreateSampleData(run, definition);
        AtomicFile.WriteFolder(
            run.Data,
            aside =>
            {
                var (check, problems) = PersonalDataset.Write(aside, definition, person, others);
                foreach (var problem in problems)
                {
                    host.Error.WriteLine($"cope: {problem}");
                }

                ImportView.WriteCheck(host with { Out = host.Error }, check);
                new RunSession(host, request).CheckWouldRebuild(aside);
            }
        );
    }

    static LampDataset CreateSampleData(RunDirectory run, TaskDefinition definition)
    {
        if (SampleData.Tasks.All(task => task.Name != definition.Task.Name))
        {
            throw new UsageException(
                $"there are no invented data of task {definition.Task.Name}: name public data with --data FOLDER, or a task of {string.Join(", ", SampleData.Tasks.Select(task => task.Name))}"
            );
        }

        var aside = Path.Combine(run.Root, ".sample");
        try
        {
            SampleData.Write(aside, Sample);
            return ReadDataset(aside, definition);
        }
        finally
        {
            if (Directory.Exists(aside))
            {
                Directory.Delete(aside, recursive: true);
            }
        }
    }

    static LampDataset ReadDataset(string folder, TaskDefinition definition) =>
        LampFiles.Read(folder, definition.Task, new() { RequireGolds = false, OnUserSkipped = _ => { } });
}
