using System.Text;
using CoPe.Experiments.Data.Checking;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data.Importing;

/// <summary>
/// Turns rows into authors with histories, oldest first. The texts lie on the disk; held in memory are an id, a
/// position and a date of each.
/// </summary>
sealed class ImportedTexts(ImportOptions options, TextSpool spool, Action<DataFileException> onProblem)
{
    readonly List<ImportedText> _texts = [];
    readonly Dictionary<string, int> _authorNumbers = [];
    readonly List<string> _authorNames = [];
    readonly UniqueIds _ids = new();

    /// <summary>Fields and columns of the inputs, then those of the output.</summary>
    readonly List<(string Field, string Column)> _columns =
    [
        .. options.InputColumns.Append(options.OutputColumn).Select(ParseColumn),
    ];
    readonly HashSet<string> _seenColumns = [];
    ILookup<int, ImportedText> _textsByAuthor = Array.Empty<ImportedText>().ToLookup(text => text.Author);

    /// <summary>Rows after which a column that none of them had is taken for a wrong name.</summary>
    const int RowsBeforeRefusal = 1000;

    /// <summary>Ids may name who wrote a text, so texts of hashed authors are numbered instead.</summary>
    bool IsNumbered => options.IdColumn is null || options.IdHasher is not null;

    string OutputColumn => _columns[^1].Column;

    /// <summary>Texts that can be used.</summary>
    public int Count => _textsByAuthor.Sum(author => author.Count());

    /// <summary>Authors in the order of their first texts, with how many there are of each.</summary>
    public IReadOnlyList<(int Author, int Count)> Authors =>
        [.. _textsByAuthor.Select(author => (author.Key, author.Count()))];

    /// <summary>Lengths of what the authors wrote, in words.</summary>
    public TextLengths Lengths { get; } = new();

    /// <summary>Whether every text they wrote is a single line.</summary>
    public bool AreSingleLines { get; private set; } = true;

    /// <summary>Adds the rows; one without author, text or date is reported and left out.</summary>
    public void AddRows(IEnumerable<ImportRow> source)
    {
        var rows = 0;
        string?[] named =
        [
            options.AuthorColumn,
            options.DateColumn,
            options.IdColumn,
            .. _columns.Select(pair => pair.Column),
        ];
        var columns = named.OfType<string>().ToList();
        foreach (var row in source)
        {
            _seenColumns.UnionWith(row.Fields.Keys);
            // A table has all its columns in the first row; JSON objects may leave out what they do not have.
            if (++rows == 1 && ImportSource.HasFixedColumns(options.Source))
            {
                RequireColumns(row.Location, columns);
            }
            else if (rows == RowsBeforeRefusal)
            {
                RequireColumns(row.Location, [options.AuthorColumn, OutputColumn]);
            }

            var lack = FindLack(row);
            if (lack is not null)
            {
                onProblem(lack);
                continue;
            }

            AddRow(row);
        }

        if (rows > 0)
        {
            RequireColumns(new() { File = options.Source }, columns);
        }

        var texts = options.DateColumn is null ? _texts : ParseDates();
        _textsByAuthor = texts.ToLookup(text => text.Author);
    }

    /// <summary>An author with their texts, oldest first.</summary>
    public LampUser ReadUser(int author, LampTask task) =>
        new()
        {
            Id = options.IdHasher?.Hash(_authorNames[author]) ?? _authorNames[author],
            // Stable: texts of one date stay in the order of the source.
            History = [.. _textsByAuthor[author].OrderBy(text => text.Date).Select(text => ReadItem(text, task))],
            Queries = [],
        };

    /// <summary>Field and column of a pair <c>field=column</c>, or of a bare column.</summary>
    public static (string Field, string Column) ParseColumn(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        return equals > 0 ? (text[..equals], text[(equals + 1)..]) : (text, text);
    }

    void AddRow(ImportRow row)
    {
        var name = WholeNumber.Shorten(row.Fields[options.AuthorColumn]!.Trim());
        if (!_authorNumbers.TryGetValue(name, out var author))
        {
            _authorNumbers[name] = author = _authorNames.Count;
            _authorNames.Add(name);
        }

        var output = row.Fields[OutputColumn]!;
        Lengths.Add(WordLimit.Count(output));
        AreSingleLines &= !output.AsSpan().Trim().Contains('\n');
        ReportEmptyInputs(row);
        string ValueOf(string column) => row.Fields.GetValueOrDefault(column) ?? "";
        var date = options.DateColumn is null ? "" : ValueOf(options.DateColumn);
        var start = spool.Add(row.Location, [date, .. _columns.Select(pair => ValueOf(pair.Column))]);
        _texts.Add(new(author, IsNumbered ? null : IdOf(row), start));
    }

    void ReportEmptyInputs(ImportRow row)
    {
        var inputColumns = _columns.SkipLast(1).Select(pair => pair.Column);
        foreach (var column in inputColumns.Where(column => row.Fields.GetValueOrDefault(column) is null))
        {
            onProblem(
                new(
                    row.Location with
                    {
                        Field = column,
                    },
                    DescribeMissing(row, column),
                    "a text",
                    "The row is kept with an empty one: add the text, or take the row out."
                )
            );
        }
    }

    HistoryItem ReadItem(ImportedText text, LampTask task)
    {
        var values = spool.Read(text.Start, _columns.Count + 1).Columns;
        var fields = _columns.Zip(values.Skip(1)).ToDictionary(pair => pair.First.Field, pair => pair.Second);
        foreach (var field in task.InputFields.Where(field => !fields.ContainsKey(field)))
        {
            fields[field] = "";
        }

        return new() { Id = text.Id ?? $"{NumberOf(text)}", Fields = fields };
    }

    int NumberOf(ImportedText text) =>
        _texts.BinarySearch(text, Comparer<ImportedText>.Create((a, b) => a.Start.CompareTo(b.Start))) + 1;

    IEnumerable<ImportedText> ParseDates()
    {
        var parser = new DateColumnParser(_texts.Select(ReadDate), options.DateOrder);
        foreach (var text in _texts)
        {
            var (location, dateText) = ReadDate(text);
            var date = parser.Parse(dateText);
            if (date is not null)
            {
                yield return text with
                {
                    Date = date.Value.UtcTicks,
                };
                continue;
            }

            onProblem(
                new(
                    location with
                    {
                        Field = options.DateColumn,
                    },
                    dateText.Length == 0 ? "no date" : $"\"{dateText}\"",
                    "a date such as 2024-03-05, 05.03.2024 or 1709640000",
                    "The row is left out: correct the date."
                )
            );
        }
    }

    (DataFileLocation Location, string Text) ReadDate(ImportedText text)
    {
        var (location, columns) = spool.Read(text.Start, 1);
        return (location, columns[0]);
    }

    DataFileException? FindLack(ImportRow row)
    {
        foreach (var column in (string[])[options.AuthorColumn, OutputColumn])
        {
            if (string.IsNullOrWhiteSpace(row.Fields.GetValueOrDefault(column)))
            {
                return new(
                    row.Location with
                    {
                        Field = column,
                    },
                    DescribeMissing(row, column),
                    "a text",
                    "The row is left out: add the text."
                );
            }
        }

        return null;
    }

    static string DescribeMissing(ImportRow row, string column)
    {
        if (!row.Fields.TryGetValue(column, out var text))
        {
            return "no text or number of this name";
        }

        return text is null ? "null" : "an empty text";
    }

    string IdOf(ImportRow row)
    {
        var id = WholeNumber.Shorten((row.Fields.GetValueOrDefault(options.IdColumn!) ?? "").Trim());
        if (id.Length == 0)
        {
            id = $"row {_texts.Count + 1}";
        }

        var uniqueId = _ids.MakeUnique(id);
        if (uniqueId != id)
        {
            onProblem(
                new(
                    row.Location with
                    {
                        Field = options.IdColumn,
                    },
                    $"the id \"{id}\" again",
                    "each id once",
                    $"The text is kept as \"{uniqueId}\"."
                )
            );
        }

        return uniqueId;
    }

    void RequireColumns(DataFileLocation location, IEnumerable<string> columns)
    {
        var missing = columns.FirstOrDefault(column => !_seenColumns.Contains(column));
        if (missing is null)
        {
            return;
        }

        var nearest = NearestName.FindNearest(missing, _seenColumns);
        throw new DataFileException(
            location,
            _seenColumns.Count == 0 ? "no columns" : $"only the columns {string.Join(", ", _seenColumns)}",
            $"a column \"{missing}\"",
            nearest is null ? "Check the header." : $"The nearest is \"{nearest}\"."
        );
    }
}

/// <summary>What is held in memory of a text of a source.</summary>
/// <param name="Author">Its author's number.</param>
/// <param name="Id">Its id; null where texts are numbered.</param>
/// <param name="Start">Where it begins in the spool.</param>
/// <param name="Date">When it was written, in ticks.</param>
readonly record struct ImportedText(int Author, string? Id, long Start, long Date = 0);

/// <summary>
/// Texts on the disk, each read again by its position, so that a source larger than the memory can be divided by
/// authors. The file is deleted when this is disposed.
/// </summary>
sealed class TextSpool : IDisposable
{
    readonly FileStream _file;
    readonly BinaryWriter _writer;
    readonly BinaryReader _reader;

    public TextSpool(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        _file = new(path, FileMode.Create, FileAccess.ReadWrite, FileShare.None, 1 << 16, FileOptions.DeleteOnClose);
        _writer = new(_file, Encoding.UTF8, leaveOpen: true);
        _reader = new(_file, Encoding.UTF8, leaveOpen: true);
    }

    /// <summary>Appends a text, and returns its position.</summary>
    public long Add(DataFileLocation location, IReadOnlyList<string> columns)
    {
        var start = _file.Position;
        _writer.Write(location.File);
        _writer.Write(location.Line ?? 0);
        _writer.Write(location.Item ?? "");
        foreach (var column in columns)
        {
            _writer.Write(column);
        }

        return start;
    }

    /// <summary>The location and the first columns of the text at a position.</summary>
    public (DataFileLocation Location, IReadOnlyList<string> Columns) Read(long start, int columns)
    {
        _file.Position = start;
        var path = _reader.ReadString();
        var line = _reader.ReadInt64();
        var item = _reader.ReadString();
        var location = new DataFileLocation
        {
            File = path,
            Line = line == 0 ? null : line,
            Item = item.Length == 0 ? null : item,
        };
        return (location, [.. Enumerable.Range(0, columns).Select(_ => _reader.ReadString())]);
    }

    public void Dispose()
    {
        _writer.Dispose();
        _reader.Dispose();
        _file.Dispose();
    }
}
