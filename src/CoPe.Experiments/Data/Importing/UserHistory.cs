using System.Text;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data.Importing;

/// <summary>
/// Reads one user's history for a task: from a folder of texts, from a table whose columns are the task's fields, or
/// from a file of users in the benchmark's format, where the user has queries as well.
/// </summary>
static class UserHistory
{
    const string DateColumn = "date",
        IdColumn = "id";

    /// <summary>Characters at the beginning of a file by which its format is told.</summary>
    const int FormatCharacters = 1 << 16;

    /// <summary>Reads the user.</summary>
    /// <param name="source">A folder, or a .txt, .md, .csv, .tsv, .jsonl, .ndjson or .json file.</param>
    /// <param name="task">The task.</param>
    /// <param name="name">
    /// The user's id; null takes that of the file's only user, or the name of the file or folder.
    /// </param>
    /// <param name="onProblem">Called with everything that is left out or changed.</param>
    /// <exception cref="DataFileException">The source has no such user or no text.</exception>
    public static LampUser Read(string source, LampTask task, string? name, Action<DataFileException> onProblem)
    {
        if (IsUsersFile(source))
        {
            return ReadFromUsersFile(source, task, name);
        }

        var items = IsText(source) ? ReadTexts(source, task, onProblem) : ReadRows(source, task, onProblem);
        if (items.Count == 0)
        {
            throw new DataFileException(
                new() { File = source },
                "no usable text",
                "one at least",
                "A user without history cannot be personalized."
            );
        }

        var trimmed = Path.TrimEndingDirectorySeparator(source);
        var ownName = Directory.Exists(source) ? Path.GetFileName(trimmed) : Path.GetFileNameWithoutExtension(trimmed);
        return new()
        {
            Id = name ?? ownName,
            History = items,
            Queries = [],
        };
    }

    static bool IsText(string source) =>
        Directory.Exists(source) || Path.GetExtension(source).ToLowerInvariant() is ".txt" or ".md" or ".text";

    /// <summary>Whether a file holds users rather than rows.</summary>
    static bool IsUsersFile(string source)
    {
        if (!File.Exists(source) || !Path.GetExtension(source).Equals(".json", StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        var beginning = ReadBeginning(source);
        return beginning.Contains("\"user_id\"", StringComparison.Ordinal)
            && beginning.Contains("\"profile\"", StringComparison.Ordinal);
    }

    static string ReadBeginning(string source)
    {
        using var text = TextEncoding.OpenText(source);
        var start = new char[FormatCharacters];
        try
        {
            return new string(start, 0, text.ReadBlock(start));
        }
        catch (DecoderFallbackException error)
        {
            throw TextFile.InvalidEncodingError(source, error);
        }
    }

    static LampUser ReadFromUsersFile(string source, LampTask task, string? name)
    {
        using var tokens = new JsonTokenStream(source);
        var users = new LampFileReader(tokens, task).ReadUsers();
        var found = (name is null ? users : users.Where(user => user.Id == name)).Take(2).ToList();
        if (found is not [var user])
        {
            throw new DataFileException(
                new() { File = source },
                found.Count == 0 ? "no such user" : "several users",
                name is null ? "one user" : $"user '{name}'",
                "Name one of them with --name."
            );
        }

        new LampUserRules(source, needsHistory: true, onUserSkipped: null, needsQueries: false).Accept(user);
        var labels = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(source))!, LampFiles.LabelsFile);
        return new GoldLabels(labels, task, required: true).FillGolds(user, source);
    }

    static List<HistoryItem> ReadTexts(string source, LampTask task, Action<DataFileException> onProblem)
    {
        if (task.InputFields.Count > 1)
        {
            throw new DataFileException(
                new() { File = source },
                $"texts for task {task.Name} with the input fields {string.Join(", ", task.InputFields)}",
                "a .jsonl or .csv file with a column for each field",
                "A text has a heading and a body alone."
            );
        }

        var dates = new DateColumnParser([], DateOrder.Dmy);
        return
        [
            .. TextFolder
                .ReadRows(source, new(onProblem, new()))
                .OrderBy(row => dates.Parse(row.Fields[TextFolder.DateColumn]!))
                .Select((row, index) => PersonalDataset.CreateItem(task, row, index + 1)),
        ];
    }

    static List<HistoryItem> ReadRows(string source, LampTask task, Action<DataFileException> onProblem)
    {
        var ids = new UniqueIds();
        var rows = ImportSource
            .Read(source, new(onProblem, new()))
            .Where(row => HasFields(row, task, onProblem))
            .ToList();
        if (
            rows.Count > 0
            && rows.TrueForAll(row => !string.IsNullOrWhiteSpace(row.Fields.GetValueOrDefault(DateColumn)))
        )
        {
            var dates = new DateColumnParser(
                rows.Select(row => (row.Location, row.Fields[DateColumn]!)),
                DateOrder.Auto
            );
            // Stable: texts of one date stay in the order of the source.
            rows = [.. rows.OrderBy(row => dates.Parse(row.Fields[DateColumn]!))];
        }

        return [.. rows.Select((row, index) => CreateItem(row, index + 1))];

        HistoryItem CreateItem(ImportRow row, int number)
        {
            var id = row.Fields.GetValueOrDefault(IdColumn);
            return new()
            {
                Id = ids.MakeUnique(string.IsNullOrWhiteSpace(id) ? $"own {number}" : id.Trim()),
                Fields = task
                    .InputFields.Append(task.OutputField)
                    .ToDictionary(field => field, field => row.Fields.GetValueOrDefault(field) ?? ""),
            };
        }
    }

    /// <summary>Whether a row has all fields of the task; one without is reported.</summary>
    static bool HasFields(ImportRow row, LampTask task, Action<DataFileException> onProblem)
    {
        var missing = task
            .InputFields.Append(task.OutputField)
            .FirstOrDefault(field => string.IsNullOrWhiteSpace(row.Fields.GetValueOrDefault(field)));
        if (missing is null)
        {
            return true;
        }

        onProblem(
            new(
                row.Location with
                {
                    Field = missing,
                },
                row.Fields.ContainsKey(missing)
                    ? "an empty text"
                    : $"only the columns {string.Join(", ", row.Fields.Keys)}",
                $"a text in each of {string.Join(", ", task.InputFields.Append(task.OutputField))}",
                "The row is left out."
            )
        );
        return false;
    }
}
