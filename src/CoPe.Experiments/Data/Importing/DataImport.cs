using CoPe.Experiments.Data.Checking;
using CoPe.Experiments.Settings;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data.Importing;

/// <summary>
/// Makes a task of somebody's own texts: rows of author, date, input and output become users with histories and
/// queries. The texts stream through the disk; one author's at a time are held.
/// </summary>
public sealed class DataImport
{
    readonly ImportOptions _options;
    readonly DataProgress _progress;
    readonly ProblemList _problems = new();

    DataImport(ImportOptions options) =>
        (_options, _progress) = (options, new(options.Progress, options.CancellationToken));

    /// <summary>Reads the source and writes the task's files, task file and all, into the target.</summary>
    /// <exception cref="DataFileException">
    /// The source cannot be read, lacks a column, or holds too few authors.
    /// </exception>
    public static ImportReport Run(ImportOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new DataImport(options).Run();
    }

    ImportReport Run()
    {
        using var spool = new TextSpool(Path.Combine(_options.Target, ".import"));
        var texts = new ImportedTexts(_options, spool, _problems.Add);
        texts.AddRows(ImportSource.Read(_options.Source, new(_problems.Add, _progress)));
        if (texts.Count == 0)
        {
            throw new DataFileException(
                new() { File = _options.Source },
                $"no row with all it needs{_problems.Summary}",
                "one at least",
                "Check the columns."
            );
        }

        var definition = _options.Definition ?? ImportedTask.CreateDefinition(_options, texts);
        RequireFields(definition);
        var check = Write(definition, texts);
        return new()
        {
            Definition = definition,
            Rows = texts.Count,
            Problems = _problems.FirstMessages,
            ProblemCount = _problems.Count,
            Check = check,
            Folder = Path.Combine(_options.Target, definition.Task.Name),
        };
    }

    CheckReport Write(TaskDefinition definition, ImportedTexts texts)
    {
        var authors = texts.Authors;
        if (authors.Count < 2)
        {
            throw new DataFileException(
                new() { File = _options.Source },
                $"{authors.Count} author",
                "two at least: one to test, others to train the task-adaptive model",
                "For the texts of one person use 'cope personalize'."
            );
        }

        var tested = UserSplit.SelectTestUsers(authors, _options.Split);
        if (tested.Count == 0)
        {
            throw new DataFileException(
                new() { File = _options.Source },
                $"at most {authors.Max(author => author.Count)} texts an author",
                $"{_options.Split.MinItems} of one author at least",
                "Import more texts, or lower --least-items."
            );
        }

        var users = authors
            .Where(author => tested.Contains(author.Author))
            .Select(author =>
                UserSplit.SplitQueries(
                    definition,
                    texts.ReadUser(author.Author, definition.Task),
                    Math.Clamp(author.Count / 5, 1, _options.Split.MaxQueries)
                )
            );
        var others = authors
            .Where(author => !tested.Contains(author.Author))
            .Select(author =>
                UserSplit.SplitQueries(
                    definition,
                    texts.ReadUser(author.Author, definition.Task),
                    _options.Split.MaxOtherQueries
                )
            );
        return new CheckedDatasetWriter(_options.Target, definition, _progress).Write(users, others, authors.Count);
    }

    void RequireFields(TaskDefinition definition)
    {
        var task = definition.Task;
        var given = _options
            .InputColumns.Append(_options.OutputColumn)
            .Select(pair => ImportedTexts.ParseColumn(pair).Field)
            .ToHashSet();
        foreach (var field in task.InputFields.Append(task.OutputField).Where(field => !given.Contains(field)))
        {
            throw new DataFileException(
                new() { File = _options.Source },
                $"no column for the field \"{field}\"",
                $"one for every field of task {task.Name}",
                $"Name it: --{(field == task.OutputField ? "output" : "input")} {field}=COLUMN."
            );
        }
    }
}

/// <summary>Makes a task of a source's columns.</summary>
static class ImportedTask
{
    const int LongestLine = 40;
    const int ShortAnswer = 100;
    const int LongAnswer = 600;

    /// <summary>The task: its fields are the columns, its length follows from the texts.</summary>
    /// <exception cref="SettingsException">Name or wording cannot be used.</exception>
    public static TaskDefinition CreateDefinition(ImportOptions options, ImportedTexts texts)
    {
        var output = ImportedTexts.ParseColumn(options.OutputColumn).Field;
        var inputs = options.InputColumns.Select(input => ImportedTexts.ParseColumn(input).Field).ToList();
        var yaml = SettingsFile.ToYaml(
            new TaskKeys
            {
                Name = options.TaskName,
                InputFields = inputs,
                OutputField = output,
                System = options.SystemPrompt,
                History = options.PromptWording ?? Wording(output, inputs),
                MaxNewTokens = texts.Lengths.Percentile95 <= LongestLine ? ShortAnswer : LongAnswer,
                SingleLineAnswer = texts.AreSingleLines && texts.Lengths.Max <= LongestLine,
            }
        );
        return TaskFile.Parse(yaml, "the task of these columns");
    }

    static string Wording(string output, List<string> inputs) =>
        inputs switch
        {
            [] => $"Write the next {Plain(output)}.",
            [var one] => $"Write the {Plain(output)} for the following {Plain(one)}: {{{one}}}",
            _ =>
                $"Write the {Plain(output)} for the following.\n{string.Join('\n', inputs.Select(input => $"{Plain(input)}: {{{input}}}"))}",
        };

    static string Plain(string column) =>
        column
            .Replace('_', ' ')
            .Replace("{", "{{", StringComparison.Ordinal)
            .Replace("}", "}}", StringComparison.Ordinal);
}
