using System.CommandLine;
using System.Text.Json;
using CoPe.Cli.Display;
using CoPe.Cli.Failures;
using CoPe.Cli.Hosting;
using CoPe.Experiments.Data;
using CoPe.Experiments.Data.Importing;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Tasks;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope data import</c>.</summary>
static class DataImportVerb
{
    static readonly Argument<string> Source = new("source")
    {
        Description = "A .csv, .tsv, .jsonl, .ndjson or .json file, or a folder of .txt and .md files.",
    };
    static readonly Option<string> Out = new("--out")
    {
        Description = "Folder that gets a folder of the task's name.",
        HelpName = "folder",
        DefaultValueFactory = _ => "data",
    };
    static readonly Option<string> Name = new("--name")
    {
        Description = "Name of the new task.",
        HelpName = "name",
        DefaultValueFactory = _ => "imported",
    };
    static readonly Option<string?> Task = new("--task")
    {
        Description = "A shipped task or task file instead, whose fields the columns fill (field=column).",
        HelpName = "name",
    };
    static readonly Option<string?> Author = new("--author")
    {
        Description = "Column of the author; in a folder, its first folders.",
        HelpName = "column",
    };
    static readonly Option<string?> Date = new("--date")
    {
        Description = "Column of the date; without it the texts are taken in the order of the file, oldest first.",
        HelpName = "column",
    };
    static readonly Option<DateOrder> Order = new("--date-order")
    {
        Description = "What 03/04/2024 means: dmy or mdy.",
        DefaultValueFactory = _ => DateOrder.Auto,
    };
    static readonly Option<string?> Id = new("--id") { Description = "Column of the text's id.", HelpName = "column" };
    static readonly Option<string[]> Input = new("--input")
    {
        Description = "Column of the request, or field=column; may be given several times.",
        HelpName = "column",
        DefaultValueFactory = _ => [],
    };
    static readonly Option<string?> Output = new("--output")
    {
        Description = "Column that the author wrote, or field=column.",
        HelpName = "column",
    };
    static readonly Option<string?> Prompt = new("--prompt")
    {
        Description = "Prompt template of the request, with the input fields in braces.",
        HelpName = "text",
    };
    static readonly Option<string?> SystemPrompt = new("--system")
    {
        Description = "System prompt.",
        HelpName = "text",
    };
    static readonly Option<bool> HashIds = new("--hash-ids")
    {
        Description = "Replaces author ids by hashes, with a secret key that is kept in OUT/hash-key.",
    };
    static readonly Option<int> TestUsers = new("--test-users")
    {
        Description = "Most test users, those with the most texts; at most half of the authors.",
        HelpName = "n",
        DefaultValueFactory = _ => 100,
    };
    static readonly Option<int> LeastItems = new("--least-items")
    {
        Description = "Fewest texts of a test user.",
        HelpName = "n",
        DefaultValueFactory = _ => 5,
    };
    static readonly Option<int> Queries = new("--queries")
    {
        Description = "Most queries of a test user: their latest texts.",
        HelpName = "n",
        DefaultValueFactory = _ => 5,
    };
    static readonly Option<int> OtherQueries = new("--other-queries")
    {
        Description = "Most queries of another user.",
        HelpName = "n",
        DefaultValueFactory = _ => 20,
    };

    public static Command Create(CommandHost host)
    {
        var command = new Command(
            "import",
            "Make a task from one's own texts: "
                + "author, date, input and output columns become users, histories and queries."
        )
        {
            Source,
            Out,
            Name,
            Task,
            Author,
            Date,
            Order,
            Id,
            Input,
            Output,
            Prompt,
            SystemPrompt,
            HashIds,
            TestUsers,
            LeastItems,
            Queries,
            OtherQueries,
        };
        command.SetAction(parsed =>
        {
            var options = ReadOptions(host, parsed) with { CancellationToken = host.Cancellation };
            var report = DataWorkDisplay.ShowWhile(
                host,
                ["read", "write", "check"],
                progress => DataImport.Run(options with { Progress = progress })
            );
            WriteRecipe(report, Path.GetRelativePath(host.WorkingFolder, report.Folder));
            ImportView.Write(host, report);
            return ExitCode.Ok;
        });
        return command;
    }

    static ImportOptions ReadOptions(CommandHost host, ParseResult parsed)
    {
        var source = host.PathOf(parsed.GetValue(Source)!);
        var target = host.PathOf(parsed.GetValue(Out)!);
        // A folder of texts has columns of known names; those of a file are given.
        var isFolder = Directory.Exists(source);
        string RequireColumn(Option<string?> option, string nameInFolder)
        {
            var column = parsed.GetValue(option) ?? (isFolder ? nameInFolder : null);
            return column ?? throw new UsageException($"name the column of {source} with {option.Name}");
        }

        var inputColumns = parsed.GetValue(Input)!;
        if (inputColumns.Length == 0 && isFolder)
        {
            inputColumns = ["heading"];
        }

        return new()
        {
            Source = source,
            Target = target,
            TaskName = parsed.GetValue(Name)!,
            PromptWording = parsed.GetValue(Prompt),
            SystemPrompt = parsed.GetValue(SystemPrompt),
            Definition = parsed.GetValue(Task) is { } task
                ? TaskFile.Read(InputPaths.FindTask(task, host.SearchFolders))
                : null,
            AuthorColumn = RequireColumn(Author, "folder"),
            OutputColumn = RequireColumn(Output, "body"),
            DateColumn = parsed.GetValue(Date) ?? (isFolder ? "date" : null),
            DateOrder = parsed.GetValue(Order),
            IdColumn = parsed.GetValue(Id) ?? (isFolder ? "file" : null),
            InputColumns = inputColumns,
            IdHasher = parsed.GetValue(HashIds) ? IdHasher.LoadOrCreate(Path.Combine(target, "hash-key")) : null,
            Split = new()
            {
                TestUsers = parsed.GetValue(TestUsers),
                MinItems = parsed.GetValue(LeastItems),
                MaxQueries = parsed.GetValue(Queries),
                MaxOtherQueries = parsed.GetValue(OtherQueries),
            },
        };
    }

    /// <summary>Writes a recipe beside the data, so that a run is one command away.</summary>
    static void WriteRecipe(ImportReport report, string folder) =>
        AtomicFile.WriteText(
            Path.Combine(report.Folder, "recipe.yaml"),
            $"""
            # {report.Definition.Task.Name}, imported; every key not named here has the paper's value.
            task: {QuoteForYaml(Path.Combine(folder, TaskFile.DefaultName))}
            data: {QuoteForYaml(folder)}
            # This model knows only the invented world of the sample data: name one that knows the world of these texts.
            model: {Recipe.EmbeddedModel}
            seed: 42

            """
        );

    static string QuoteForYaml(string path) => JsonSerializer.Serialize(path.Replace('\\', '/'));
}
