using CoPe.Data.Checking;
using CoPe.Data.Tasks;

namespace CoPe.Data.Importing;

/// <summary>Turns rows into authors with histories, oldest first. The texts lie on the disk; held are an id, a place and a date of each.</summary>
sealed class ImportedTexts(ImportOptions options, TextSpool spool, Action<DataFileException> problem)
{
    readonly List<ImportedText> texts = [];
    readonly Dictionary<string, int> numbers = [];
    readonly List<string> names = [];
    readonly UniqueIds ids = new();
    readonly List<(string Field, string Column)> columns = [.. options.Inputs.Append(options.Output).Select(Pair)];
    readonly HashSet<string> seen = [];
    ILookup<int, ImportedText> dated = Array.Empty<ImportedText>().ToLookup(text => text.Author);

    /// <summary>Rows after which a column that none of them had is taken for a wrong name.</summary>
    const int RowsThatTell = 1000;

    /// <summary>Names may tell who wrote a text, so hashed authors' texts are numbered.</summary>
    bool IsNumbered => options.Id is null || options.Hash is not null;

    /// <summary>Texts with an author.</summary>
    public int Read => texts.Count;

    /// <summary>Those of them that can be used.</summary>
    public int Count => dated.Sum(author => author.Count());

    /// <summary>Authors in the order of their first texts, with how many there are of each.</summary>
    public IReadOnlyList<(int Author, int Count)> Authors => [.. dated.Select(author => (author.Key, author.Count()))];

    /// <summary>Words of what the authors wrote.</summary>
    public TextLengths Lengths { get; } = new();

    /// <summary>Whether what they wrote is a line each.</summary>
    public bool IsLines { get; private set; } = true;

    /// <summary>Takes the rows; one without author, text or date is reported and left out.</summary>
    public void Take(IEnumerable<ImportRow> source)
    {
        var rows = 0;
        string[] asked = [options.Author, .. new[] { options.Date, options.Id }.OfType<string>(), .. columns.Select(pair => pair.Column)];
        foreach (var row in source)
        {
            seen.UnionWith(row.Fields.Keys);
            // A table tells its columns at once; objects may leave out what they do not have.
            if (++rows == 1 && ImportSource.IsTable(options.Source)) RequireColumns(row.Place, asked);
            else if (rows == RowsThatTell) RequireColumns(row.Place, [options.Author, columns[^1].Column]);
            if (Lack(row) is { } lack) problem(lack);
            else Take(row);
        }

        if (rows > 0) RequireColumns(new() { File = options.Source }, asked);
        dated = Dated().ToLookup(text => text.Author);
    }

    /// <summary>An author with his texts, oldest first.</summary>
    public LampUser User(int author, LampTask task) => new()
    {
        Id = options.Hash?.Of(names[author]) ?? names[author],
        // Stable: texts of one date stay in the order of the source.
        Profile = [.. dated[author].OrderBy(text => text.Date).Select(text => Item(text, task))],
        Queries = [],
    };

    /// <summary>Field and column of a pair <c>field=column</c>, or of a bare column.</summary>
    public static (string Field, string Column) Pair(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        return equals > 0 ? (text[..equals], text[(equals + 1)..]) : (text, text);
    }

    void Take(ImportRow row)
    {
        var name = row.Fields[options.Author]!.Trim();
        if (!numbers.TryGetValue(name, out var author))
        {
            numbers[name] = author = names.Count;
            names.Add(name);
        }

        var output = row.Fields[columns[^1].Column]!;
        Lengths.Add(TextFaults.Words(output));
        IsLines &= !output.AsSpan().Trim().Contains('\n');
        foreach (var (_, column) in columns.SkipLast(1).Where(pair => row.Fields.GetValueOrDefault(pair.Column) is null))
            problem(new(row.Place with { Field = column }, Missing(row, column), "a text", "The row is kept with an empty one: add the text, or take the row out."));
        var start = spool.Add(row.Place, [options.Date is { } date ? row.Fields.GetValueOrDefault(date) ?? "" : "", .. columns.Select(pair => row.Fields.GetValueOrDefault(pair.Column) ?? "")]);
        texts.Add(new(author, IsNumbered ? null : IdOf(row), start));
    }

    HistoryItem Item(ImportedText text, LampTask task)
    {
        var values = spool.Read(text.Start, columns.Count + 1).Columns;
        var fields = columns.Zip(values.Skip(1)).ToDictionary(pair => pair.First.Field, pair => pair.Second);
        foreach (var field in task.InputFields.Where(field => !fields.ContainsKey(field))) fields[field] = "";
        return new() { Id = text.Id ?? $"{NumberOf(text)}", Fields = fields };
    }

    int NumberOf(ImportedText text) => texts.BinarySearch(text, Comparer<ImportedText>.Create((a, b) => a.Start.CompareTo(b.Start))) + 1;

    IEnumerable<ImportedText> Dated()
    {
        if (options.Date is not { } column)
        {
            foreach (var text in texts) yield return text;
            yield break;
        }

        var dates = new DateColumn(texts.Select(text => spool.Read(text.Start, 1)).Select(read => (read.Place, read.Columns[0])), options.DateOrder);
        foreach (var text in texts)
        {
            var (place, read) = spool.Read(text.Start, 1);
            if (dates.Of(read[0]) is { } date) yield return text with { Date = date.UtcTicks };
            else problem(new(place with { Field = column }, read[0].Length == 0 ? "no date" : $"\"{read[0]}\"", "a date such as 2024-03-05, 05.03.2024 or 1709640000", "The row is left out: correct the date."));
        }
    }

    DataFileException? Lack(ImportRow row)
    {
        foreach (var column in (string[])[options.Author, columns[^1].Column])
            if (string.IsNullOrWhiteSpace(row.Fields.GetValueOrDefault(column)))
                return new(row.Place with { Field = column }, Missing(row, column), "a text", "The row is left out: add the text.");
        return null;
    }

    static string Missing(ImportRow row, string column) => !row.Fields.TryGetValue(column, out var text) ? "no text or number of this name" : text is null ? "null" : "an empty text";

    string IdOf(ImportRow row)
    {
        var id = (row.Fields.GetValueOrDefault(options.Id!) ?? "").Trim();
        if (id.Length == 0) id = $"row {texts.Count + 1}";
        var own = ids.Of(id);
        if (own != id) problem(new(row.Place with { Field = options.Id }, $"the id \"{id}\" again", "each id once", $"The text is kept as \"{own}\"."));
        return own;
    }

    void RequireColumns(DataFilePlace place, IEnumerable<string> asked)
    {
        foreach (var column in asked.Where(column => !seen.Contains(column)))
            throw new DataFileException(place, $"only the columns {string.Join(", ", seen)}", $"a column \"{column}\"", NearestName.Of(column, seen) is { } near ? $"The nearest is \"{near}\"." : "Check the header.");
    }
}
