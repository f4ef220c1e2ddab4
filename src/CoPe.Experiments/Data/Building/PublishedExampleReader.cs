using CoPe.Experiments.Data.Checking;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data.Building;

/// <summary>
/// Reads examples as LaMP and LongLaMP publish them: <c>{"id", "input", "profile": [...], "output"?, USER?}</c>.
/// </summary>
/// <param name="file">The file.</param>
/// <param name="task">The task.</param>
/// <param name="userField">Field of the user; null searches for the known ones.</param>
/// <param name="onProblem">Called with every entry that is left out.</param>
sealed class PublishedExampleReader(
    IExampleFile file,
    LampTask task,
    string? userField,
    Action<DataFileException> onProblem
)
{
    /// <summary>Fields in which the published files name the user.</summary>
    static readonly string[] UserFields = ["user_id", "author", "name", "reviewerId", "reviewerID", "user"];

    DataFileLocation _location = new() { File = file.File };

    /// <summary>Opens a published file by its kind.</summary>
    public static IExampleFile Open(string path) =>
        Path.GetExtension(path).Equals(".parquet", StringComparison.OrdinalIgnoreCase)
            ? new ParquetExampleFile(path)
            : new JsonExampleFile(path);

    /// <summary>The examples in file order.</summary>
    public IEnumerable<PublishedExample> ReadExamples() =>
        file.ReadExamples(onProblem).Select(ReadExample).OfType<PublishedExample>();

    PublishedExample? ReadExample(RawExample raw)
    {
        var id = ShortenId(raw.Scalars.GetValueOrDefault("id")) ?? $"{raw.Number}";
        var idFault = IdValidation.FindFault(id);
        _location = new() { File = file.File, Item = idFault is null ? id : $"number {raw.Number}" };
        // Ids are checked here, where file and example are known: the files of the buckets refuse them.
        if (idFault is not null)
        {
            return LeaveOut("id", idFault, IdValidation.Expected);
        }

        var input = raw.Scalars.GetValueOrDefault("input");
        if (input is null)
        {
            return LeaveOutLacking("input", raw.Scalars);
        }

        if (raw.Profile is null)
        {
            return LeaveOutLacking("profile", raw.Scalars);
        }

        if (raw.Profile.Fault is { } fault)
        {
            return LeaveOut("profile", fault, PublishedProfile.Expected);
        }

        // A user field of null is an error: as an example without user it would become a user of its own.
        var field = userField ?? UserFields.FirstOrDefault(raw.Scalars.ContainsKey);
        var user = field is null ? null : ShortenId(raw.Scalars.GetValueOrDefault(field));
        if (field is not null && string.IsNullOrWhiteSpace(user))
        {
            return LeaveOutLacking(field, raw.Scalars);
        }

        var userFault = user is null ? null : IdValidation.FindFault(user);
        if (userFault is not null)
        {
            return LeaveOut(field, userFault, IdValidation.Expected);
        }

        var query = new LampQuery
        {
            Id = id,
            Input = input,
            Gold = raw.Scalars.GetValueOrDefault("output") ?? "",
        };
        var history = raw.Profile.Items.Select((fields, index) => ReadItem(fields, index + 1)).OfType<HistoryItem>();
        return new(user, query, history.ToList());
    }

    HistoryItem? ReadItem(Dictionary<string, string?>? fields, int number)
    {
        if (fields is null)
        {
            return LeaveOutItem($"number {number}", null, "no object");
        }

        fields.Remove("id", out var written);
        var id = ShortenId(written);
        var idFault = id is null ? null : IdValidation.FindFault(id);
        if (idFault is not null)
        {
            return LeaveOutItem($"number {number}", "id", idFault, IdValidation.Expected);
        }

        var name = id ?? $"number {number}";
        var needed = task.InputFields.Append(task.OutputField).ToList();
        var lacking = needed.FirstOrDefault(field => fields.GetValueOrDefault(field) is null);
        if (lacking is not null)
        {
            return LeaveOutItem(name, lacking, fields.ContainsKey(lacking) ? "null" : "no such field");
        }

        if (string.IsNullOrWhiteSpace(fields[task.OutputField]))
        {
            return LeaveOutItem(name, task.OutputField, "an empty text");
        }

        var texts = fields.Where(pair => pair.Value is not null).ToDictionary(pair => pair.Key, pair => pair.Value!);
        // Files without ids: the text itself tells one item from another, also across the examples of a user.
        id ??= $"t{TextFingerprint.Compute(needed.Select(field => texts[field]), 1):x}";
        return new() { Id = id, Fields = texts };
    }

    static string? ShortenId(string? id) => id is null ? null : WholeNumber.Shorten(id);

    HistoryItem? LeaveOutItem(string item, string? field, string found, string expected = "a text")
    {
        onProblem(
            new(
                _location with
                {
                    Item = $"{_location.Item}, profile item {item}",
                    Field = field,
                },
                found,
                expected,
                "The item is left out."
            )
        );
        return null;
    }

    PublishedExample? LeaveOutLacking(string field, IReadOnlyDictionary<string, string?> scalars)
    {
        var expected = $"the field {field}";
        if (!scalars.TryGetValue(field, out var text))
        {
            return LeaveOut(field, $"only the fields {string.Join(", ", scalars.Keys)}", expected);
        }

        return LeaveOut(field, text is null ? "null" : "an empty text", expected);
    }

    PublishedExample? LeaveOut(string? field, string found, string expected)
    {
        onProblem(new(_location with { Field = field }, found, expected, "The example is left out."));
        return null;
    }
}

/// <summary>One example of a published benchmark: a question with the history of its user.</summary>
/// <param name="User">The user; null where the file names none, so that every example is a user of its own.</param>
/// <param name="Query">The question; its gold may be empty.</param>
/// <param name="History">The history as the file orders it.</param>
sealed record PublishedExample(string? User, LampQuery Query, IReadOnlyList<HistoryItem> History);
