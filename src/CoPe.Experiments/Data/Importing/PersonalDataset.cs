using CoPe.Experiments.Data.Checking;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data.Importing;

/// <summary>
/// One person's texts as the data of a run, beside a public task's or alone: the person becomes the only test user,
/// everybody of the public data trains the task-adaptive model. A text is a request and a body; where the task's answer
/// is one line the request is the answer, otherwise the body is.
/// </summary>
static class PersonalDataset
{
    const int MinTexts = 2;
    const int MaxQueries = 5;

    /// <summary>Writes the task's files into the target.</summary>
    /// <param name="target">Folder that gets the task's folder.</param>
    /// <param name="definition">The task, of one input field or none.</param>
    /// <param name="person">The person's name, and the folder of their texts.</param>
    /// <param name="publicData">The public data; null where there are none.</param>
    /// <returns>The check of what was written, and what could not be read.</returns>
    /// <exception cref="DataFileException">There are too few texts.</exception>
    public static PersonalReport Write(
        string target,
        TaskDefinition definition,
        (string Name, string Folder) person,
        LampDataset? publicData
    )
    {
        ArgumentNullException.ThrowIfNull(definition);
        var problems = new List<string>();
        var author = ReadAuthor(definition.Task, person, error => problems.Add(error.Message));
        var testUser = UserSplit.SplitQueries(definition, author, CountQueries(author.History.Count));
        // A user of the public data may have the person's id.
        var others = (publicData?.Others ?? [])
            .Concat(publicData?.Users ?? [])
            .DistinctBy(user => user.Id)
            .Where(user => user.Id != testUser.Id && user.Queries.Any(query => query.Gold.Length > 0));
        var writer = new CheckedDatasetWriter(target, definition, new()) { HasOthers = publicData is not null };
        var count = (publicData?.Others.Count ?? 0) + (publicData?.Users.Count ?? 0) + 1;
        return new(author.History.Count, writer.Write([testUser], others, count), problems);
    }

    /// <summary>Texts that are held out of so many: a fifth, one to five.</summary>
    static int CountQueries(int texts) => Math.Clamp(texts / 5, 1, MaxQueries);

    static LampUser ReadAuthor(LampTask task, (string Name, string Folder) person, Action<DataFileException> onProblem)
    {
        var location = new DataFileLocation { File = person.Folder };
        RequireFolder(location);
        if (task.InputFields.Count > 1)
        {
            throw new DataFileException(
                location,
                $"task {task.Name} with the input fields {string.Join(", ", task.InputFields)}",
                "a task of one input field, as a text has a request and a body",
                "Name another with --task, or import the texts with 'cope data import'."
            );
        }

        var dates = new DateColumnParser([], DateOrder.Dmy);
        var problems = new List<DataFileException>();
        var rows = TextFolder
            .ReadRows(person.Folder, new(problems.Add, new()))
            .OrderBy(row => dates.Parse(row.Fields[TextFolder.DateColumn]!))
            .ToList();
        if (rows.Count < MinTexts)
        {
            throw new DataFileException(
                location,
                $"{DescribeCount(rows.Count)}{DescribeProblems(problems)}",
                $"{MinTexts} at least, one to learn from and one to compare with, and better some dozens",
                "Put more texts there, as .txt or .md files in UTF-8, one text a file."
            );
        }

        problems.ForEach(onProblem);
        return new()
        {
            Id = person.Name,
            History = [.. rows.Select((row, index) => CreateItem(task, row, index + 1))],
            Queries = [],
        };
    }

    static void RequireFolder(DataFileLocation location)
    {
        if (Directory.Exists(location.File))
        {
            return;
        }

        var isFile = File.Exists(location.File);
        throw new DataFileException(
            location,
            isFile ? "a file" : "no such folder",
            "a folder of .txt and .md files, one text each",
            isFile
                ? "Put each text into a file of its own and name the folder; "
                    + "'cope data import' takes tables and JSON of several authors."
                : "Check --history."
        );
    }

    static string DescribeCount(int texts) => texts == 1 ? "1 text" : $"{texts} texts";

    static string DescribeProblems(List<DataFileException> problems) =>
        problems.Count == 0
            ? ""
            : $", and {problems.Count} {(problems.Count == 1 ? "file" : "files")} that cannot be used "
                + $"(the first: {Path.GetFileName(problems[0].Location.File)}, {problems[0].Found})";

    /// <summary>A text as an item of a history.</summary>
    internal static HistoryItem CreateItem(LampTask task, ImportRow row, int number)
    {
        var whole = row.Fields[TextFolder.TextColumn]!;
        var text = OwnText.Split(whole);
        var (input, answer) = task.SingleLineAnswer ? (text.Body, text.Request) : (text.Request, text.Body);
        var fields = new Dictionary<string, string>
        {
            [task.OutputField] = task.InputFields.Count == 0 ? whole : answer,
        };
        foreach (var field in task.InputFields)
        {
            fields[field] = input;
        }

        return new() { Id = $"own {number}", Fields = fields };
    }
}

/// <summary>What was written of a person's texts.</summary>
/// <param name="Texts">Texts that were read.</param>
/// <param name="Check">The check of the data.</param>
/// <param name="Problems">Files that could not be used.</param>
sealed record PersonalReport(int Texts, CheckReport Check, IReadOnlyList<string> Problems);
