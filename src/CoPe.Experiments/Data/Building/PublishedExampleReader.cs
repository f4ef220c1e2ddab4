using CoPe.Experiments.Data.Checking;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data.Building;

/// <summary>
/// Reads examples as LaMP and LongLaMP publish them: <c>{"id", "input", "profile": [...], "output"?, USER?}</c>.
/// </summary>
/// <param name="file">The file.</param>
/// <param name="task">The task.</param>
/// <param name="userField">Field of the user; null looks for the known ones.</param>
/// <param name="problem">Told of every entry that is left out.</param>
sealed class PublishedExampleReader(
    IExampleFile file,
    LampTask task,
    string? userField,
    Action<DataFileException> problem
)
{
    /// <summary>Fields in which the published files name the user.</summary>
    static readonly string[] UserFields = ["user_id", "author", "name", "reviewerId", "reviewerID", "user"];

    DataFileLocation _place = new() { File = file.File };

    /// <summary>Opens a published file by its kind.</summary>
    public static IExampleFile Open(string path) =>
        Path.GetExtension(path).Equals(".parquet", StringComparison.OrdinalIgnoreCase)
            ? new ParquetExampleFile(path)
            : new JsonExampleFile(path);

    /// <summary>The examples in file order.</summary>
    public IEnumerable<PublishedExample> ReadExamples() =>
        file.ReadExamples(problem).Select(Record).OfType<PublishedExample>();

    PublishedExample? Record(RawExample raw)
    {
        var id = raw.Scalars.GetValueOrDefault("id") ?? $"{raw.Number}";
        var idFault = IdValidation.FindFault(id);
        _place = new() { File = file.File, Item = idFault is null ? id : $"number {raw.Number}" };
        // Ids are looked at here, where file and example are known: the files of the buckets refuse them.
        if (idFault is not null)
        {
            return LeftOut("id", idFault, IdValidation.Expected);
        }

        if (raw.Scalars.GetValueOrDefault("input") is not { } input)
        {
            return Lacking("input", raw.Scalars);
        }

        if (raw.HistoryItems is null)
        {
            return Lacking("profile", raw.Scalars);
        }
        // A user of null is nobody's name: taken for an example without user, it would become a user of its own.
        var named = userField ?? UserFields.FirstOrDefault(raw.Scalars.ContainsKey);
        var user = named is null ? null : raw.Scalars.GetValueOrDefault(named);
        if (named is not null && string.IsNullOrWhiteSpace(user))
        {
            return Lacking(named, raw.Scalars);
        }

        if (user is not null && IdValidation.FindFault(user) is { } userFault)
        {
            return LeftOut(named, userFault, IdValidation.Expected);
        }

        var items = raw.HistoryItems.Select((fields, index) => Item(fields, index + 1)).OfType<HistoryItem>().ToList();
        return new(
            user,
            new()
            {
                Id = id,
                Input = input,
                Gold = raw.Scalars.GetValueOrDefault("output") ?? "",
            },
            items
        );
    }

    HistoryItem? Item(Dictionary<string, string?>? fields, int number)
    {
        if (fields is null)
        {
            return Faulty($"number {number}", null, "no object");
        }

        fields.Remove("id", out var id);
        if (id is not null && IdValidation.FindFault(id) is { } fault)
        {
            return Faulty($"number {number}", "id", fault, IdValidation.Expected);
        }

        var lacking = task
            .InputFields.Append(task.OutputField)
            .FirstOrDefault(field => fields.GetValueOrDefault(field) is null);
        if (lacking is not null)
        {
            return Faulty(id ?? $"number {number}", lacking, fields.ContainsKey(lacking) ? "null" : "no such field");
        }

        if (string.IsNullOrWhiteSpace(fields[task.OutputField]))
        {
            return Faulty(id ?? $"number {number}", task.OutputField, "an empty text");
        }

        var texts = fields.Where(pair => pair.Value is not null).ToDictionary(pair => pair.Key, pair => pair.Value!);
        // Files without ids: the text itself tells one item from another, also across the records of a user.
        return new()
        {
            Id =
                id
                ?? $"t{TextFingerprint.Compute(task.InputFields.Append(task.OutputField).Select(field => texts[field]), 1):x}",
            Fields = texts,
        };
    }

    HistoryItem? Faulty(string item, string? field, string found, string expected = "a text")
    {
        problem(
            new(
                _place with
                {
                    Item = $"{_place.Item}, profile item {item}",
                    Field = field,
                },
                found,
                expected,
                "The item is left out."
            )
        );
        return null;
    }

    PublishedExample? Lacking(string field, IReadOnlyDictionary<string, string?> found) =>
        LeftOut(
            field,
            found.TryGetValue(field, out var text)
                ? text is null
                    ? "null"
                    : "an empty text"
                : $"only the fields {string.Join(", ", found.Keys)}",
            $"the field {field}"
        );

    PublishedExample? LeftOut(string? field, string found, string expected)
    {
        problem(new(_place with { Field = field }, found, expected, "The example is left out."));
        return null;
    }
}

/// <summary>One example of a published benchmark: a question with the profile of its user.</summary>
/// <param name="User">The user; null where the file names none, so that every record is one.</param>
/// <param name="Query">The question; its gold may be empty.</param>
/// <param name="History">The profile as the file orders it.</param>
sealed record PublishedExample(string? User, LampQuery Query, IReadOnlyList<HistoryItem> History);
