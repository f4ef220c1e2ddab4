using System.CommandLine;
using CoPe.Cli.Display;
using CoPe.Cli.Hosting;
using CoPe.Cli.Sessions;
using CoPe.Experiments.Data.Samples;
using CoPe.Experiments.Runs.Examples;
using CoPe.Experiments.Tasks;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope data ...</c>.</summary>
static class DataVerb
{
    public static Command Create(CommandHost host) =>
        new("data", "Import, build, check and show data.")
        {
            DataCheckVerb.Create(host),
            DataShowVerb.Create(host),
            DataImportVerb.Create(host),
            DataBuildVerb.Create(host),
            DataSampleVerb.Create(host),
            DataTasksVerb.Create(host),
        };
}

/// <summary><c>cope data show</c>.</summary>
static class DataShowVerb
{
    public static Command Create(CommandHost host)
    {
        var command = new Command(
            "show",
            "Show an example exactly as the model sees it in a stage: "
                + "prompt, tokens, which are learned, where it is truncated."
        );
        var options = RunOptions.AddTo(command);
        var stage = new Option<PreviewStage>("--stage")
        {
            Description = "tam (a training query), sft or dpo (a history item), predict (a query).",
            DefaultValueFactory = _ => PreviewStage.Sft,
        };
        var user = new Option<string?>("--user") { Description = "User; by default the first.", HelpName = "id" };
        var item = new Option<string?>("--item")
        {
            Description = "History item or query; by default the first.",
            HelpName = "id",
        };
        command.AddOptions(stage, user, item);

        command.SetAction(parsed =>
        {
            var example = new RunSession(host, options.Read(host, parsed)).Inspect(context =>
                new ExamplePreviewer(context).Create(
                    parsed.GetValue(stage),
                    parsed.GetValue(user),
                    parsed.GetValue(item)
                )
            );
            TokenizedExampleView.Write(host, example);
            return ExitCode.Ok;
        });
        return command;
    }
}

/// <summary><c>cope data tasks</c>.</summary>
static class DataTasksVerb
{
    public static Command Create(CommandHost host)
    {
        var command = new Command("tasks", "List the shipped tasks, or print the file of one, to change it.");
        var name = new Argument<string?>("task")
        {
            Description = "Task whose file is printed.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        command.Arguments.Add(name);
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(name) is { } shown)
            {
                host.Out.Write(TaskFile.ToYaml(TaskFile.LoadShipped(LampTasks.ByName(shown).Name)));
                return;
            }

            foreach (var task in LampTasks.All)
            {
                host.Out.WriteLine(
                    $"{task.Name,-20} {task.BenchmarkId,-10} {DescribeFields(task)} -> {task.OutputField}"
                );
            }
        });
        return command;
    }

    static string DescribeFields(LampTask task) =>
        task.InputFields.Count == 0 ? "(no input)" : string.Join(", ", task.InputFields);
}

/// <summary><c>cope data sample</c>.</summary>
static class DataSampleVerb
{
    public static Command Create(CommandHost host)
    {
        var defaults = new SampleOptions();
        var command = new Command(
            "sample",
            "Write sample data of the five text tasks, with invented users, and text to pre-train on."
        );
        var folder = new Argument<string>("folder")
        {
            Description = "Folder to write to.",
            DefaultValueFactory = _ => "data",
        };
        var seed = AddNumberOption(command, "--seed", "The same seed gives the same files.", (long)defaults.Seed, 0);
        var users = AddNumberOption(command, "--users", "Test users of each task.", defaults.Users, 1);
        var others = AddNumberOption(command, "--other-users", "Other users of each task.", defaults.OtherUsers, 1);
        var queries = AddNumberOption(command, "--queries", "Queries of every user.", defaults.QueriesPerUser, 1);
        var documents = AddNumberOption(
            command,
            "--documents",
            "Documents of the neutral corpus.",
            defaults.Documents,
            0
        );
        var instructions = AddNumberOption(
            command,
            "--instructions",
            "Pairs of request and answer for pre-training.",
            defaults.Instructions,
            0
        );
        command.Arguments.Add(folder);
        command.SetAction(parsed =>
        {
            var target = host.PathOf(parsed.GetValue(folder)!);
            SampleData.Write(
                target,
                new()
                {
                    Seed = (ulong)parsed.GetValue(seed),
                    Users = (int)parsed.GetValue(users),
                    OtherUsers = (int)parsed.GetValue(others),
                    QueriesPerUser = (int)parsed.GetValue(queries),
                    Documents = (int)parsed.GetValue(documents),
                    Instructions = (int)parsed.GetValue(instructions),
                },
                cancellation: host.Cancellation
            );
            host.Out.WriteLine(target);
            return ExitCode.Ok;
        });
        return command;
    }

    static Option<long> AddNumberOption(Command command, string name, string description, long value, long min)
    {
        var option = new Option<long>(name)
        {
            Description = description,
            HelpName = "n",
            DefaultValueFactory = _ => value,
        };
        option.Validators.Add(result =>
        {
            if (result.Errors.Any() || result.Tokens.Count == 0)
            {
                return;
            }

            if (long.TryParse(result.Tokens[0].Value, out var number) && (number < min || number > int.MaxValue))
            {
                result.AddError($"{name} is {number}, expected {min} to {int.MaxValue}");
            }
        });
        command.Options.Add(option);
        return option;
    }
}
