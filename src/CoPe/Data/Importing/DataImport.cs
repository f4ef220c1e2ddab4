using CoPe.Data.Tasks;

namespace CoPe.Data.Importing;

/// <summary>Makes a task of somebody's own texts: rows of author, date, input and output become users with histories and queries. The texts stream through the disk; one author's at a time are held.</summary>
public sealed class DataImport
{
    readonly ImportOptions options;
    readonly DataProgress progress;
    readonly ProblemList problems = new();

    DataImport(ImportOptions options) => (this.options, progress) = (options, new(options.Progress, options.Cancellation));

    /// <summary>Reads the source and writes the task's files, task file and all, into the target.</summary>
    /// <exception cref="DataFileException">The source cannot be read, lacks a column, or holds too few authors.</exception>
    public static ImportReport Run(ImportOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new DataImport(options).Run();
    }

    ImportReport Run()
    {
        using var spool = new TextSpool(Path.Combine(options.Target, ".import"));
        var texts = new ImportedTexts(options, spool, problems.Add);
        texts.Take(ImportSource.Read(options.Source, new(problems.Add, progress)));
        if (texts.Count == 0)
            throw new DataFileException(new() { File = options.Source }, $"no row with all it needs{problems.Hint}", "one at least", "Check the columns.");
        var definition = options.Definition ?? ImportedTask.Of(options, texts);
        RequireFields(definition);
        var check = Write(definition, texts);
        return new()
        {
            Definition = definition, Rows = texts.Count, Problems = problems.First, ProblemCount = problems.Count, Check = check, Folder = Path.Combine(options.Target, definition.Task.Name),
        };
    }

    Checking.CheckReport Write(TaskDefinition definition, ImportedTexts texts)
    {
        var authors = texts.Authors;
        if (authors.Count < 2)
            throw new DataFileException(new() { File = options.Source }, $"{authors.Count} author", "two at least: one to test, others to train the task-adaptive model", "For the texts of one person use 'cope personalize'.");
        var tested = UserSplit.Tested(authors, options.Split);
        if (tested.Count == 0)
            throw new DataFileException(new() { File = options.Source }, $"at most {authors.Max(author => author.Count)} texts an author", $"{options.Split.LeastItems} of one author at least", "Import more texts, or lower --least-items.");
        var users = authors.Where(author => tested.Contains(author.Author)).Select(author => UserSplit.Ask(definition, texts.User(author.Author, definition.Task), Math.Clamp(author.Count / 5, 1, options.Split.Queries)));
        var others = authors.Where(author => !tested.Contains(author.Author)).Select(author => UserSplit.Ask(definition, texts.User(author.Author, definition.Task), options.Split.OtherQueries));
        return new CheckedDataset(options.Target, definition, progress).Write(users, others, authors.Count);
    }

    void RequireFields(TaskDefinition definition)
    {
        var task = definition.Task;
        var given = options.Inputs.Append(options.Output).Select(pair => ImportedTexts.Pair(pair).Field).ToHashSet();
        foreach (var field in task.InputFields.Append(task.OutputField).Where(field => !given.Contains(field)))
            throw new DataFileException(new() { File = options.Source }, $"no column for the field \"{field}\"", $"one for every field of task {task.Name}", $"Name it: --{(field == task.OutputField ? "output" : "input")} {field}=COLUMN.");
    }
}
