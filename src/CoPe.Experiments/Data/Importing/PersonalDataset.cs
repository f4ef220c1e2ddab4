using CoPe.Experiments.Data.Checking;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data.Importing;

/// <summary>
/// One person's texts beside a public task: he becomes the only test user, everybody of the public data trains the
/// task-adaptive model. A text is a heading and a body; where the task's answer is one line
/// the heading is the answer, otherwise the body is.
/// </summary>
public static class PersonalDataset
{
    const int LeastTexts = 5;
    const int MostQueries = 5;

    /// <summary>Writes the task's files into the target.</summary>
    /// <param name="target">Folder that gets the task's folder.</param>
    /// <param name="definition">The task, of one input field or none.</param>
    /// <param name="person">The person, and where his texts lie.</param>
    /// <param name="publicData">The public data.</param>
    /// <returns>The check of what was written, and what could not be read.</returns>
    /// <exception cref="DataFileException">There are too few texts.</exception>
    public static (CheckReport Check, IReadOnlyList<string> Problems) Write(
        string target,
        TaskDefinition definition,
        (string Name, string Folder) person,
        LampDataset publicData
    )
    {
        ArgumentNullException.ThrowIfNull(definition);
        ArgumentNullException.ThrowIfNull(publicData);
        var problems = new List<string>();
        var author = Author(definition.Task, person, error => problems.Add(error.Message));
        var me = UserSplit.SplitQueries(definition, author, Math.Clamp(author.History.Count / 5, 1, MostQueries));
        // An id of his own may be one of the public data's too.
        var others = publicData
            .Others.Concat(publicData.Users)
            .DistinctBy(user => user.Id)
            .Where(user => user.Id != me.Id && user.Queries.Any(query => query.Gold.Length > 0));
        return (
            new CheckedDatasetWriter(target, definition, new()).Write(
                [me],
                others,
                publicData.Others.Count + publicData.Users.Count + 1
            ),
            problems
        );
    }

    static LampUser Author(LampTask task, (string Name, string Folder) person, Action<DataFileException> problem)
    {
        var place = new DataFileLocation { File = person.Folder };
        if (!Directory.Exists(person.Folder))
        {
            throw new DataFileException(
                place,
                "no such folder",
                "a folder of .txt and .md files, one text each",
                "Check --history."
            );
        }

        if (task.InputFields.Count > 1)
        {
            throw new DataFileException(
                place,
                $"task {task.Name} with the input fields {string.Join(", ", task.InputFields)}",
                "a task of one input field, as a text has a heading and a body",
                "Name another with --task, or import the texts with 'cope data import'."
            );
        }

        var rows = TextFolder
            .ReadRows(person.Folder, new(problem, new()))
            .Select(row =>
                (Row: row, Date: new DateColumnParser([], DateOrder.Dmy).Parse(row.Fields[ImportSource.DateColumn]!))
            )
            .OrderBy(pair => pair.Date)
            .ToList();
        if (rows.Count < LeastTexts)
        {
            throw new DataFileException(
                place,
                $"{rows.Count} texts",
                $"{LeastTexts} at least, and better some dozens",
                "Put more texts there, a file each."
            );
        }

        return new()
        {
            Id = person.Name,
            History = [.. rows.Select((pair, number) => Item(task, pair.Row, number))],
            Queries = [],
        };
    }

    static HistoryItem Item(LampTask task, ImportRow row, int number)
    {
        var (heading, body) = (row.Fields[ImportSource.HeadingColumn]!, row.Fields[ImportSource.BodyColumn]!);
        var fields = new Dictionary<string, string>
        {
            [task.OutputField] =
                task.InputFields.Count == 0 ? row.Fields[ImportSource.TextColumn]!
                : task.SingleLineAnswer ? heading
                : body,
        };
        foreach (var field in task.InputFields)
        {
            fields[field] = task.SingleLineAnswer ? body : heading;
        }

        return new() { Id = $"own {number + 1}", Fields = fields };
    }
}
