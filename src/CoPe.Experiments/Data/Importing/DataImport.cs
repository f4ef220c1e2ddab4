using CoPe.Experiments.Data.Checking;
using CoPe.Experiments.Settings;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data.Importing;

/// <summary>
/// Creates a task from texts of several authors: rows of author, date, input and output become users with histories and
/// queries. The texts are spooled to the disk; one author's at a time are held in memory.
/// </summary>
sealed class DataImport
{
    readonly ImportOptions _options;
    readonly DataProgress _progress;
    readonly ProblemList _problems = new();

    DataImport(ImportOptions options)
    {
        _options = options;
        _progress = new(options.Progress, options.CancellationToken);
    }

    /// <summary>Reads the source and writes the task's files, the task file among them, into the target.</summary>
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

        var split = _options.Split;
        var testUsers = UserSplit.SelectTestUsers(authors, split);
        if (testUsers.Count == 0)
        {
            throw new DataFileException(
                new() { File = _options.Source },
                $"at most {authors.Max(author => author.Count)} texts an author",
                $"{split.MinItems} of one author at least",
                "Import more texts, or lower --least-items."
            );
        }

        LampUser ReadUser(int author, int queries) =>
            UserSplit.SplitQueries(definition, texts.ReadUser(author, definition.Task), queries);
        var users = authors
            .Where(author => testUsers.Contains(author.Author))
            .Select(author => ReadUser(author.Author, Math.Clamp(author.Count / 5, 1, split.MaxQueries)));
        var others = authors
            .Where(author => !testUsers.Contains(author.Author))
            .Select(author => ReadUser(author.Author, split.MaxOtherQueries));
        return new CheckedDatasetWriter(_options.Target, definition, _progress).Write(users, others, authors.Count);
    }

    void RequireFields(TaskDefinition definition)
    {
        var task = definition.Task;
        var given = _options
            .InputColumns.Append(_options.OutputColumn)
            .Select(pair => ImportedTexts.ParseColumn(pair).Field)
            .ToHashSet();
        var missing = task.InputFields.Append(task.OutputField).FirstOrDefault(field => !given.Contains(field));
        if (missing is null)
        {
            return;
        }

        var option = missing == task.OutputField ? "output" : "input";
        throw new DataFileException(
            new() { File = _options.Source },
            $"no column for the field \"{missing}\"",
            $"one for every field of task {task.Name}",
            $"Name it: --{option} {missing}=COLUMN."
        );
    }
}

/// <summary>Creates a task from a source's columns.</summary>
static class ImportedTask
{
    /// <summary>Words up to which a text is a short answer, and one line of it a single-line answer.</summary>
    const int ShortTextWords = 40;
    const int ShortAnswerTokens = 100;
    const int LongAnswerTokens = 600;

    /// <summary>The task: its fields are the columns, its length follows from the texts.</summary>
    /// <exception cref="SettingsException">Name or wording cannot be used.</exception>
    public static TaskDefinition CreateDefinition(ImportOptions options, ImportedTexts texts)
    {
        var output = ImportedTexts.ParseColumn(options.OutputColumn).Field;
        var inputs = options.InputColumns.Select(input => ImportedTexts.ParseColumn(input).Field).ToList();
        var keys = new TaskKeys
        {
            Name = options.TaskName,
            InputFields = inputs,
            OutputField = output,
            System = options.SystemPrompt,
            History = options.PromptWording ?? CreateWording(output, inputs),
            MaxNewTokens = texts.Lengths.Percentile95 <= ShortTextWords ? ShortAnswerTokens : LongAnswerTokens,
            SingleLineAnswer = texts.AreSingleLines && texts.Lengths.Max <= ShortTextWords,
        };
        return TaskFile.Create(keys, "the task of these columns");
    }

    static string CreateWording(string output, List<string> inputs)
    {
        switch (inputs)
        {
            case []:
                return $"Write the next {ToWords(output)}.";
            case [var input]:
                return $"Write the {ToWords(output)} for the following {ToWords(input)}: {{{input}}}";
            default:
                var lines = inputs.Select(input => $"{ToWords(input)}: {{{input}}}");
                return $"Write the {ToWords(output)} for the following.\n{string.Join('\n', lines)}";
        }
    }

    /// <summary>A column's name as words of a wording, whose braces are doubled.</summary>
    static string ToWords(string column) =>
        column
            .Replace('_', ' ')
            .Replace("{", "{{", StringComparison.Ordinal)
            .Replace("}", "}}", StringComparison.Ordinal);
}
