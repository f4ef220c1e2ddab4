namespace CoPe.Data.Importing;

/// <summary>Makes a task of somebody's own texts: rows of author, date, input and output become users with histories and queries.</summary>
public static class DataImport
{
    /// <summary>Reads the source and writes the task's files, task file and all, into the target.</summary>
    /// <exception cref="DataFileException">The source cannot be read, lacks a column, or holds too few authors.</exception>
    public static ImportReport Run(ImportOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var problems = new List<string>();
        void Note(DataFileException error) => problems.Add($"{error.Message}");
        var kept = new List<ImportRow>();
        var texts = new ImportedTexts(options, Note);
        texts.Read(ImportSource.Read(options.Source, Note).Select(row =>
        {
            if (options.Definition is null) kept.Add(row);
            return row;
        }));
        var definition = options.Definition ?? ImportedTask.Of(options, kept);
        RequireFields(options, definition);
        var authors = texts.Authors(definition);
        if (authors.Count < 2)
            throw new DataFileException(new() { File = options.Source }, $"{authors.Count} author", "two at least: one to test, others to train the task-adaptive model", "For the texts of one person use 'cope personalize'.");
        var dataset = UserSplit.Of(definition, authors, options.Split);
        if (dataset.Users.Count == 0)
            throw new DataFileException(new() { File = options.Source }, $"at most {authors.Max(author => author.Profile.Count)} texts an author", $"{options.Split.LeastItems} of one author at least", "Import more texts, or lower --least-items.");
        return new()
        {
            Definition = definition, Rows = texts.Count, Problems = problems, Check = CheckedDataset.Write(options.Target, definition, dataset.Users, dataset.Others),
            Folder = Path.Combine(options.Target, definition.Task.Name),
        };
    }

    static void RequireFields(ImportOptions options, Tasks.TaskDefinition definition)
    {
        var task = definition.Task;
        var given = options.Inputs.Append(options.Output).Select(pair => ImportedTexts.Pair(pair).Field).ToHashSet();
        foreach (var field in task.InputFields.Append(task.OutputField).Where(field => !given.Contains(field)))
            throw new DataFileException(new() { File = options.Source }, $"no column for the field \"{field}\"", $"one for every field of task {task.Name}", $"Name it: --{(field == task.OutputField ? "output" : "input")} {field}=COLUMN.");
    }
}
