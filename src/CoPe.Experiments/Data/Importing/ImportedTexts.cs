using System.Text;
using CoPe.Experiments.Data.Checking;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data.Importing;

/// <summary>
/// Turns rows into authors with histories, oldest first. The texts lie on the disk; held are an id, a place and a date
/// of each.
/// </summary>
sealed class ImportedTexts(ImportOptions options, TextSpool spool, Action<DataFileException> problem)
{
    readonly List<ImportedText> _texts = [];
    readonly Dictionary<string, int> _numbers = [];
    readonly List<string> _names = [];
    readonly UniqueIds _ids = new();
    readonly List<(string Field, string Column)> _columns =
    [
        .. options.InputColumns.Append(options.OutputColumn).Select(ParseColumn),
    ];
    readonly HashSet<string> _seen = [];
    ILookup<int, ImportedText> _dated = Array.Empty<ImportedText>().ToLookup(text => text.Author);

    /// <summary>Rows after which a column that none of them had is taken for a wrong name.</summary>
    const int RowsThatTell = 1000;

    /// <summary>Names may tell who wrote a text, so hashed authors' texts are numbered.</summary>
    bool IsNumbered => options.IdColumn is null || options.IdHasher is not null;

    /// <summary>Texts with an author.</summary>
    public int Read => _texts.Count;

    /// <summary>Those of them that can be used.</summary>
    public int Count => _dated.Sum(author => author.Count());

    /// <summary>Authors in the order of their first texts, with how many there are of each.</summary>
    public IReadOnlyList<(int Author, int Count)> Authors => [.. _dated.Select(author => (author.Key, author.Count()))];

    /// <summary>Words of what the authors wrote.</summary>
    public TextLengths Lengths { get; } = new();

    /// <summary>Whether what they wrote is a line each.</summary>
    public bool AreSingleLines { get; private set; } = true;

    /// <summary>Takes the rows; one without author, text or date is reported and left out.</summary>
    public void AddRows(IEnumerable<ImportRow> source)
    {
        var rows = 0;
        string[] asked =
        [
            options.AuthorColumn,
            .. new[] { options.DateColumn, options.IdColumn }.OfType<string>(),
            .. _columns.Select(pair => pair.Column),
        ];
        foreach (var row in source)
        {
            _seen.UnionWith(row.Fields.Keys);
            // A table tells its columns at once; objects may leave out what they do not have.
            if (++rows == 1 && ImportSource.HasFixedColumns(options.Source))
            {
                RequireColumns(row.Location, asked);
            }
            else if (rows == RowsThatTell)
            {
                RequireColumns(row.Location, [options.AuthorColumn, _columns[^1].Column]);
            }

            if (FindLack(row) is { } lack)
            {
                problem(lack);
            }
            else
            {
                AddRows(row);
            }
        }

        if (rows > 0)
        {
            RequireColumns(new() { File = options.Source }, asked);
        }

        _dated = ParseDates().ToLookup(text => text.Author);
    }

    /// <summary>An author with his texts, oldest first.</summary>
    public LampUser ReadUser(int author, LampTask task) =>
        new()
        {
            Id = options.IdHasher?.Hash(_names[author]) ?? _names[author],
            // Stable: texts of one date stay in the order of the source.
            History = [.. _dated[author].OrderBy(text => text.Date).Select(text => Item(text, task))],
            Queries = [],
        };

    /// <summary>Field and column of a pair <c>field=column</c>, or of a bare column.</summary>
    public static (string Field, string Column) ParseColumn(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        return equals > 0 ? (text[..equals], text[(equals + 1)..]) : (text, text);
    }

    void AddRows(ImportRow row)
    {
        var name = row.Fields[options.AuthorColumn]!.Trim();
        if (!_numbers.TryGetValue(name, out var author))
        {
            _numbers[name] = author = _names.Count;
            _names.Add(name);
        }

        var output = row.Fields[_columns[^1].Column]!;
        Lengths.Add(TextFaults.CountWords(output));
        AreSingleLines &= !output.AsSpan().Trim().Contains('\n');
        foreach (
            var (_, column) in _columns.SkipLast(1).Where(pair => row.Fields.GetValueOrDefault(pair.Column) is null)
        )
        {
            problem(
                new(
                    row.Location with
                    {
                        Field = column,
                    },
                    Missing(row, column),
                    "a text",
                    "The row is kept with an empty one: add the text, or take the row out."
                )
            );
        }

        var start = spool.Add(
            row.Location,
            [
                options.DateColumn is { } date ? row.Fields.GetValueOrDefault(date) ?? "" : "",
                .. _columns.Select(pair => row.Fields.GetValueOrDefault(pair.Column) ?? ""),
            ]
        );
        _texts.Add(new(author, IsNumbered ? null : IdOf(row), start));
    }

    HistoryItem Item(ImportedText text, LampTask task)
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
        if (options.DateColumn is not { } column)
        {
            foreach (var text in _texts)
            {
                yield return text;
            }

            yield break;
        }

        var dates = new DateColumnParser(
            _texts.Select(text => spool.Read(text.Start, 1)).Select(read => (read.Place, read.Columns[0])),
            options.DateOrder
        );
        foreach (var text in _texts)
        {
            var (place, read) = spool.Read(text.Start, 1);
            if (dates.Parse(read[0]) is { } date)
            {
                yield return text with
                {
                    Date = date.UtcTicks,
                };
            }
            else
            {
                problem(
                    new(
                        place with
                        {
                            Field = column,
                        },
                        read[0].Length == 0 ? "no date" : $"\"{read[0]}\"",
                        "a date such as 2024-03-05, 05.03.2024 or 1709640000",
                        "The row is left out: correct the date."
                    )
                );
            }
        }
    }

    DataFileException? FindLack(ImportRow row)
    {
        foreach (var column in (string[])[options.AuthorColumn, _columns[^1].Column])
        {
            if (string.IsNullOrWhiteSpace(row.Fields.GetValueOrDefault(column)))
            {
                return new(
                    row.Location with
                    {
                        Field = column,
                    },
                    Missing(row, column),
                    "a text",
                    "The row is left out: add the text."
                );
            }
        }

        return null;
    }

    static string Missing(ImportRow row, string column) =>
        !row.Fields.TryGetValue(column, out var text) ? "no text or number of this name"
        : text is null ? "null"
        : "an empty text";

    string IdOf(ImportRow row)
    {
        var id = (row.Fields.GetValueOrDefault(options.IdColumn!) ?? "").Trim();
        if (id.Length == 0)
        {
            id = $"row {_texts.Count + 1}";
        }

        var own = _ids.MakeUnique(id);
        if (own != id)
        {
            problem(
                new(
                    row.Location with
                    {
                        Field = options.IdColumn,
                    },
                    $"the id \"{id}\" again",
                    "each id once",
                    $"The text is kept as \"{own}\"."
                )
            );
        }

        return own;
    }

    void RequireColumns(DataFileLocation place, IEnumerable<string> asked)
    {
        foreach (var column in asked.Where(column => !_seen.Contains(column)))
        {
            throw new DataFileException(
                place,
                $"only the columns {string.Join(", ", _seen)}",
                $"a column \"{column}\"",
                NearestName.FindNearest(column, _seen) is { } near ? $"The nearest is \"{near}\"." : "Check the header."
            );
        }
    }
}

/// <summary>A text of a source, as little of it as must be held.</summary>
/// <param name="Author">Its author's number.</param>
/// <param name="Id">Its id; null where texts are numbered.</param>
/// <param name="Start">Where it begins in the spool.</param>
/// <param name="Date">When it was written, in ticks.</param>
readonly record struct ImportedText(int Author, string? Id, long Start, long Date = 0);

/// <summary>
/// Texts on the disk, each found again by where it begins: so that a source larger than the memory can be divided by
/// authors. The file is gone when this is disposed.
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
        (_writer, _reader) = (new(_file, Encoding.UTF8, leaveOpen: true), new(_file, Encoding.UTF8, leaveOpen: true));
    }

    /// <summary>Takes a text, and says where it begins.</summary>
    public long Add(DataFileLocation place, IReadOnlyList<string> columns)
    {
        var start = _file.Position;
        _writer.Write(place.File);
        _writer.Write(place.Line ?? 0);
        _writer.Write(place.Item ?? "");
        foreach (var column in columns)
        {
            _writer.Write(column);
        }

        return start;
    }

    /// <summary>The place and the first columns of the text that begins here.</summary>
    public (DataFileLocation Place, IReadOnlyList<string> Columns) Read(long start, int columns)
    {
        _file.Position = start;
        var (path, line, item) = (_reader.ReadString(), _reader.ReadInt64(), _reader.ReadString());
        var place = new DataFileLocation
        {
            File = path,
            Line = line == 0 ? null : line,
            Item = item.Length == 0 ? null : item,
        };
        return (place, [.. Enumerable.Range(0, columns).Select(_ => _reader.ReadString())]);
    }

    public void Dispose()
    {
        _writer.Dispose();
        _reader.Dispose();
        _file.Dispose();
    }
}
