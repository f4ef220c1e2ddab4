using CoPe.Experiments.Data.Checking;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data.Importing;

/// <summary>
/// One person's texts beside a public task: the person becomes the only test user, everybody of the public data trains
/// the task-adaptive model. A text is a heading and a body; where the task's answer is one line the heading is the
/// answer, otherwise the body is.
/// </summary>
static class PersonalDataset
{
    const int MinTexts = 5;
    const int MaxQueries = 5;

    /// <summary>Writes the task's files into the target.</summary>
    /// <param name="target">Folder that gets the task's folder.</param>
    /// <param name="definition">The task, of one input field or none.</param>
    /// <param name="person">The person's name, and the folder of their texts.</param>
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
        var author = ReadAuthor(definition.Task, person, error => problems.Add(error.Message));
        var testUser = UserSplit.SplitQueries(definition, author, Math.Clamp(author.History.Count / 5, 1, MaxQueries));
        // A user of the public data may have the person's id.
        var others = publicData
            .Others.Concat(publicData.Users)
            .DistinctBy(user => user.Id)
            .Where(user => user.Id != testUser.Id && user.Queries.Any(query => query.Gold.Length > 0));
        var writer = new CheckedDatasetWriter(target, definition, new());
        var check = writer.Write([testUser], others, publicData.Others.Count + publicData.Users.Count + 1);
        return (check, problems);
    }

    static LampUser ReadAuthor(LampTask task, (string Name, string Folder) person, Action<DataFileException> onProblem)
    {
        var location = new DataFileLocation { File = person.Folder };
        if (!Directory.Exists(person.Folder))
        {
            throw new DataFileException(
                location,
                "no such folder",
                "a folder of .txt and .md files, one text each",
                "Check --history."
            );
        }

        if (task.InputFields.Count > 1)
        {
            throw new DataFileException(
                location,
                $"task {task.Name} with the input fields {string.Join(", ", task.InputFields)}",
                "a task of one input field, as a text has a heading and a body",
                "Name another with --task, or import the texts with 'cope data import'."
            );
        }

        var dates = new DateColumnParser([], DateOrder.Dmy);
        var rows = TextFolder
            .ReadRows(person.Folder, new(onProblem, new()))
            .OrderBy(row => dates.Parse(row.Fields[TextFolder.DateColumn]!))
            .ToList();
        if (rows.Count < MinTexts)
        {
            throw new DataFileException(
                location,
                $"{rows.Count} texts",
                $"{MinTexts} at least, and better some dozens",
                "Put more texts there, a file each."
            );
        }

        return new()
        {
            Id = person.Name,
            History = [.. rows.Select((row, index) => CreateItem(task, row, index + 1))],
            Queries = [],
        };
    }

    /// <summary>A text as an item of a history.</summary>
    internal static HistoryItem CreateItem(LampTask task, ImportRow row, int number)
    {
        var heading = row.Fields[TextFolder.HeadingColumn]!;
        var body = row.Fields[TextFolder.BodyColumn]!;
        var (input, answer) = task.SingleLineAnswer ? (body, heading) : (heading, body);
        var fields = new Dictionary<string, string>
        {
            [task.OutputField] = task.InputFields.Count == 0 ? row.Fields[TextFolder.TextColumn]! : answer,
        };
        foreach (var field in task.InputFields)
        {
            fields[field] = input;
        }

        return new() { Id = $"own {number}", Fields = fields };
    }
}
