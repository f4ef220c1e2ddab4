using CoPe.Data.Tasks;

namespace CoPe.Data.Importing;

/// <summary>Turns rows into authors with histories, oldest first.</summary>
sealed class ImportedTexts(ImportOptions options, Action<DataFileException> problem)
{
    readonly List<(ImportRow Row, string Author, string Id)> rows = [];
    readonly HashSet<string> ids = [];

    /// <summary>Rows taken.</summary>
    public int Count => rows.Count;

    /// <summary>Takes the rows; one without author or text is reported and left out.</summary>
    public void Read(IEnumerable<ImportRow> source)
    {
        var isFirst = true;
        foreach (var row in source)
        {
            if (isFirst) RequireColumns(row);
            isFirst = false;
            if (Lack(row) is { } lack) problem(lack);
            else rows.Add((row, row.Fields[options.Author].Trim(), IdOf(row)));
        }

        if (rows.Count == 0) throw new DataFileException(new() { File = options.Source }, "no row with an author and a text", "one at least", "Check the columns.");
    }

    /// <summary>The authors in the order of their first texts.</summary>
    public List<LampUser> Authors(TaskDefinition definition)
    {
        var dates = Dates();
        var authors = rows.Select((row, place) => (row.Row, row.Author, row.Id, Date: dates[place])).Where(row => row.Date is not null).GroupBy(row => row.Author);
        return [.. authors.Select(author => new LampUser
        {
            Id = options.Hash?.Of(author.Key) ?? author.Key,
            // Stable: texts of one date stay in the order of the source.
            Profile = [.. author.OrderBy(row => row.Date).Select(row => Item(row.Row, row.Id, definition.Task))],
            Queries = [],
        })];
    }

    /// <summary>Field and column of a pair <c>field=column</c>, or of a bare column.</summary>
    public static (string Field, string Column) Pair(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        return equals > 0 ? (text[..equals], text[(equals + 1)..]) : (text, text);
    }

    HistoryItem Item(ImportRow row, string id, LampTask task)
    {
        var fields = options.Inputs.Append(options.Output).Select(Pair).ToDictionary(pair => pair.Field, pair => row.Fields.GetValueOrDefault(pair.Column, ""));
        foreach (var field in task.InputFields.Where(field => !fields.ContainsKey(field))) fields[field] = "";
        return new() { Id = id, Fields = fields };
    }

    DateTimeOffset?[] Dates()
    {
        if (options.Date is not { } column) return [.. rows.Select(_ => (DateTimeOffset?)DateTimeOffset.UnixEpoch)];
        var dates = new DateColumn(rows.Select(row => (row.Row.Place, row.Row.Fields.GetValueOrDefault(column, ""))), options.DateOrder);
        return [.. rows.Select(row =>
        {
            var text = row.Row.Fields.GetValueOrDefault(column, "");
            var date = dates.Of(text);
            if (date is null) problem(new(row.Row.Place with { Field = column }, text.Length == 0 ? "no date" : $"\"{text}\"", "a date such as 2024-03-05, 05.03.2024 or 1709640000", "The row is left out: correct the date."));
            return date;
        })];
    }

    DataFileException? Lack(ImportRow row)
    {
        foreach (var column in (string[])[options.Author, Pair(options.Output).Column])
            if (string.IsNullOrWhiteSpace(row.Fields.GetValueOrDefault(column)))
                return new(row.Place with { Field = column }, "nothing", "a text", "The row is left out: add the text.");
        return null;
    }

    string IdOf(ImportRow row)
    {
        // Names of files may tell who wrote them.
        var isNumbered = options.Id is null || options.Hash is not null;
        var id = isNumbered ? $"{rows.Count + 1}" : row.Fields.GetValueOrDefault(options.Id!, "").Trim();
        if (id.Length == 0) id = $"row {rows.Count + 1}";
        if (ids.Add(id)) return id;
        var other = Enumerable.Range(2, int.MaxValue - 2).Select(number => $"{id}#{number}").First(ids.Add);
        problem(new(row.Place with { Field = options.Id }, $"the id \"{id}\" again", "each id once", $"The text is kept as \"{other}\"."));
        return other;
    }

    void RequireColumns(ImportRow row)
    {
        var asked = new[] { options.Author, options.Date, options.Id }.OfType<string>().Concat(options.Inputs.Append(options.Output).Select(pair => Pair(pair).Column));
        foreach (var column in asked.Where(column => !row.Fields.ContainsKey(column)))
            throw new DataFileException(row.Place, $"only the columns {string.Join(", ", row.Fields.Keys)}", $"a column \"{column}\"", NearestName.Of(column, row.Fields.Keys) is { } near ? $"The nearest is \"{near}\"." : "Check the header.");
    }
}
