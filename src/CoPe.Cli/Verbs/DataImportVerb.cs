using System.CommandLine;
using CoPe.Cli.Display;
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
        Description = "Name of the task that is made.",
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
        Description = "Column of the date; without it the order of the file is that of time.",
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
        Description = "Wording of the request, with the input fields in braces.",
        HelpName = "text",
    };
    static readonly Option<string?> SystemText = new("--system") { Description = "System text.", HelpName = "text" };
    static readonly Option<bool> HashIds = new("--hash-ids")
    {
        Description = "Hashes in the place of author ids, under a secret key kept in OUT/hash-key.",
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
        Description = "Most queries of a test user: his latest texts.",
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
            "Make a task of one's own texts: author, date, input and output columns become users, histories and queries."
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
            SystemText,
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
            WriteRecipe(report, Path.GetRelativePath(host.SearchFolders[0], report.Folder));
            ImportView.Write(host, report);
            return ExitCode.Ok;
        });
        return command;
    }

    static ImportOptions ReadOptions(CommandHost host, ParseResult parsed)
    {
        var source = Path.Combine(host.SearchFolders[0], parsed.GetValue(Source)!);
        var target = Path.Combine(host.SearchFolders[0], parsed.GetValue(Out)!);
        // A folder of texts has columns of known names.
        var isFolder = Directory.Exists(source);
        string Column(Option<string?> option, string inFolder) =>
            parsed.GetValue(option)
            ?? (isFolder ? inFolder : throw new UsageException($"name the column of {source} with {option.Name}"));
        return new()
        {
            Source = source,
            Target = target,
            TaskName = parsed.GetValue(Name)!,
            PromptWording = parsed.GetValue(Prompt),
            SystemPrompt = parsed.GetValue(SystemText),
            Definition = parsed.GetValue(Task) is { } task
                ? TaskFile.Read(InputPaths.FindTask(task, host.SearchFolders))
                : null,
            AuthorColumn = Column(Author, "folder"),
            OutputColumn = Column(Output, "body"),
            DateColumn = parsed.GetValue(Date) ?? (isFolder ? "date" : null),
            DateOrder = parsed.GetValue(Order),
            IdColumn = parsed.GetValue(Id) ?? (isFolder ? "file" : null),
            InputColumns =
                parsed.GetValue(Input) is { Length: > 0 } inputs ? inputs
                : isFolder ? ["heading"]
                : [],
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

    /// <summary>A recipe beside the data, so that a run is one command away.</summary>
    static void WriteRecipe(ImportReport report, string folder) =>
        AtomicFile.WriteText(
            Path.Combine(report.Folder, "recipe.yaml"),
            $"""
            # {report.Definition.Task.Name}, imported; every key not named here has the paper's value.
            task: {QuoteForYaml(Path.Combine(folder, TaskFile.DefaultName))}
            data: {QuoteForYaml(folder)}
            # It knows only the invented world of the sample data: name a model that knows that of these.
            model: {Recipe.EmbeddedModel}
            seed: 42

            """
        );

    static string QuoteForYaml(string path) =>
        global::System.Text.Json.JsonSerializer.Serialize(path.Replace('\\', '/'));
}
