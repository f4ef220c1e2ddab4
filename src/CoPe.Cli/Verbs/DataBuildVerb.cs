using System.CommandLine;
using CoPe.Cli.Display;
using CoPe.Cli.Failures;
using CoPe.Cli.Hosting;
using CoPe.Experiments.Data;
using CoPe.Experiments.Data.Building;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Tasks;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope data build</c>.</summary>
static class DataBuildVerb
{
    static readonly Argument<string[]> Files = new("file")
    {
        Description =
            "Published files: questions files (their outputs files are found beside them) or JSON lines or parquet "
            + "with input, output and profile; several splits may be given.",
        Arity = ArgumentArity.OneOrMore,
    };
    static readonly Option<string> Task = new("--task")
    {
        Description = "Shipped task or task file.",
        HelpName = "name",
        Required = true,
    };
    static readonly Option<string[]> Outputs = new("--outputs")
    {
        Description = "Outputs files, in the order of the questions files, where they lie elsewhere.",
        HelpName = "file",
        DefaultValueFactory = _ => [],
        AllowMultipleArgumentsPerToken = true,
    };
    static readonly Option<string> Out = new("--out")
    {
        Description = "Folder that gets a folder of the task's name.",
        HelpName = "folder",
        DefaultValueFactory = _ => "data",
    };
    static readonly Option<int> TestUsers = new("--test-users")
    {
        Description = "Test users: those with the longest histories.",
        HelpName = "n",
        DefaultValueFactory = _ => 100,
    };
    static readonly Option<int?> Others = new("--others")
    {
        Description = "Most other users, drawn by the seed.",
        HelpName = "n",
    };
    static readonly Option<int?> OtherItems = new("--other-items")
    {
        Description = "Most history items of another user; no stage reads them.",
        HelpName = "n",
    };
    static readonly Option<long> Seed = new("--seed")
    {
        Description = "The same seed gives the same files.",
        HelpName = "n",
        DefaultValueFactory = _ => 42,
    };
    static readonly Option<string?> User = new("--user-field")
    {
        Description =
            "Field of the user; by default user_id, author, name, reviewerId, reviewerID or user, "
            + "and without any every example is a user.",
        HelpName = "name",
    };
    static readonly Option<string?> Date = new("--date-field")
    {
        Description =
            "Field of an item's date; by default date, timestamp, unixReviewTime, reviewTime, created_utc or year.",
        HelpName = "name",
    };
    static readonly Option<DateOrder> Order = new("--date-order")
    {
        Description = "What 03/04/2024 means: dmy or mdy.",
        DefaultValueFactory = _ => DateOrder.Auto,
    };

    public static Command Create(CommandHost host)
    {
        var command = new Command(
            "build",
            "Build the data of a run from the published LaMP and LongLaMP files: users with the longest histories are "
                + "tested, the others train the task-adaptive model."
        )
        {
            Files,
            Task,
            Outputs,
            Out,
            TestUsers,
            Others,
            OtherItems,
            Seed,
            User,
            Date,
            Order,
        };
        command.SetAction(parsed =>
        {
            var options = ReadOptions(host, parsed) with { CancellationToken = host.Cancellation };
            var report = DataWorkDisplay.ShowWhile(
                host,
                ["read", "write", "check"],
                progress => DataBuild.Run(options with { Progress = progress })
            );
            WriteReport(host, report, Path.Combine(parsed.GetValue(Out)!, options.Definition.Task.Name));
            return ExitCode.Ok;
        });
        return command;
    }

    static BuildOptions ReadOptions(CommandHost host, ParseResult parsed)
    {
        var sources = parsed.GetValue(Files)!.Select(file => host.PathOf(file)).ToList();
        foreach (var source in sources)
        {
            RequireFile(source);
        }

        return new()
        {
            Definition = TaskFile.Read(InputPaths.FindTask(parsed.GetValue(Task)!, host.SearchFolders)),
            Sources = sources,
            OutputFiles = FindOutputs(host, parsed, sources),
            Target = host.PathOf(parsed.GetValue(Out)!),
            TestUsers = parsed.GetValue(TestUsers),
            MaxOthers = parsed.GetValue(Others),
            MaxOtherItems = parsed.GetValue(OtherItems),
            Seed = parsed.GetValue(Seed),
            UserField = parsed.GetValue(User),
            DateField = parsed.GetValue(Date),
            DateOrder = parsed.GetValue(Order),
        };
    }

    static void RequireFile(string source)
    {
        if (File.Exists(source))
        {
            return;
        }

        var problem = Directory.Exists(source) ? "a folder" : "no such file";
        throw new UsageException($"{source}: {problem}; name the published questions, JSON lines or parquet files");
    }

    static Dictionary<string, string> FindOutputs(CommandHost host, ParseResult parsed, List<string> sources)
    {
        var named = parsed.GetValue(Outputs)!.Select(file => host.PathOf(file)).ToList();
        if (named.Count > sources.Count)
        {
            throw new UsageException(
                $"{named.Count} --outputs for {sources.Count} files: name at most one for each, in the same order"
            );
        }

        foreach (var missing in named.Where(file => !File.Exists(file)))
        {
            throw new UsageException($"{missing}: no such file");
        }

        var outputs = sources.Zip(named).ToDictionary(pair => pair.First, pair => pair.Second);
        foreach (var source in sources.Skip(named.Count))
        {
            if (FindOutputsBeside(source) is { } found)
            {
                outputs[source] = found;
            }
        }

        return outputs;
    }

    /// <summary>The file <c>..._outputs...</c> beside <c>..._questions...</c>, or null.</summary>
    static string? FindOutputsBeside(string questions)
    {
        var name = Path.GetFileName(questions);
        if (!name.Contains("questions", StringComparison.Ordinal))
        {
            return null;
        }

        var outputs = Path.Combine(
            Path.GetDirectoryName(questions)!,
            name.Replace("questions", "outputs", StringComparison.Ordinal)
        );
        return File.Exists(outputs) ? outputs : null;
    }

    static void WriteReport(CommandHost host, BuildReport report, string folder)
    {
        ImportView.WriteProblems(host, report.Problems, report.ProblemCount);
        host.Out.WriteLine(
            $"before    {report.Examples} examples of {report.Users} users with {report.Items} history items"
        );
        if (report.WithoutGold > 0)
        {
            host.Out.WriteLine(
                $"          {report.WithoutGold} examples have no gold: "
                    + "their histories count, their questions are left out"
            );
        }

        if (report.UndatedUsers > 0)
        {
            host.Out.WriteLine(
                $"          {report.UndatedUsers} users' items are not all dated and stay in the order of the file"
            );
        }

        if (report.OthersNotDrawn > 0)
        {
            host.Out.WriteLine($"          {report.OthersNotDrawn} other users were not drawn");
        }

        ImportView.WriteCheck(host, report.Check);
        host.Out.WriteLine($"data      {folder}");
    }
}
