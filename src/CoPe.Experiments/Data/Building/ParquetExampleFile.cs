using System.Buffers.Binary;
using System.Collections;
using System.Globalization;
using CoPe.Experiments.Tasks;
using Parquet;
using Parquet.Meta;
using Parquet.Serialization;

namespace CoPe.Experiments.Data.Building;

/// <summary>
/// Examples in parquet, as LongLaMP publishes them: a row each, the <c>profile</c> a list of structures, or another of
/// the shapes of <see cref="PublishedProfile"/>. One row group is held at a time.
/// </summary>
sealed class ParquetExampleFile : IExampleFile
{
    /// <summary>
    /// Most that a row group may unpack to: some hundred times those of the published files, a thousand rows each.
    /// </summary>
    const long MaxUnpackedBytes = 1L << 31;

    readonly FileStream _file;
    readonly List<RowGroup> _descriptions = [];
    readonly long _maxUnpackedBytes;
    int _read;

    public ParquetExampleFile(string path, long maxUnpackedBytes = MaxUnpackedBytes)
    {
        File = path;
        _maxUnpackedBytes = maxUnpackedBytes;
        _file = System.IO.File.OpenRead(path);
        try
        {
            RequireFooter();
            _descriptions = Wait(async () =>
            {
                await using var reader = await ParquetReader
                    .CreateAsync(_file, leaveStreamOpen: true)
                    .ConfigureAwait(false);
                return reader.Metadata?.RowGroups ?? [];
            });
        }
        catch
        {
            _file.Dispose();
            throw;
        }
    }

    public string File { get; }

    public (long Read, long Length) Position =>
        (_descriptions.Count == 0 ? _file.Length : _file.Length / _descriptions.Count * _read, _file.Length);

    public IEnumerable<RawExample> ReadExamples(Action<DataFileException> onProblem)
    {
        var number = 0;
        for (_read = 0; _read < _descriptions.Count; _read++)
        {
            RequireBounded(_descriptions[_read]);
            var group = Wait(() => ParquetSerializer.DeserializeUntypedAsync(_file, rowGroupIndex: _read));
            var limit = CreateLimit();
            foreach (var row in group.Data)
            {
                limit.Take(Measure(row));
                yield return new(++number, ReadScalars(row), ReadProfile(row.GetValueOrDefault("profile")));
            }
        }
    }

    public void Dispose() => _file.Dispose();

    /// <summary>
    /// Bytes of all texts of a row: the values of a column may be one of its dictionary, many times over.
    /// </summary>
    static long Measure(object? value) =>
        value switch
        {
            string text => (long)text.Length * sizeof(char),
            ReadOnlyMemory<char> text => (long)text.Length * sizeof(char),
            byte[] bytes => bytes.Length,
            IDictionary<string, object> fields => fields.Values.Sum(Measure),
            IEnumerable items => items.Cast<object?>().Sum(Measure),
            _ => 0,
        };

    static PublishedProfile? ReadProfile(object? profile) =>
        profile switch
        {
            null => null,
            string text => PublishedProfile.FromText(text),
            ReadOnlyMemory<char> text => PublishedProfile.FromText(text.ToString()),
            byte[] bytes => PublishedProfile.FromBytes(bytes),
            IDictionary<string, object> columns => PublishedProfile.FromColumns(
                columns.ToDictionary(column => column.Key, column => ReadColumn(column.Value))
            ),
            IEnumerable items => new([.. items.Cast<object?>().Select(ReadItem)]),
            _ => PublishedProfile.CreateFaulty($"a single value, {ToText(profile)}"),
        };

    static Dictionary<string, string?>? ReadItem(object? item) =>
        item switch
        {
            IDictionary<string, object> fields => ReadScalars(fields),
            string text => PublishedProfile.ReadItem(text),
            _ => null,
        };

    static IReadOnlyList<string?>? ReadColumn(object? column) =>
        column is IEnumerable values and not (string or byte[]) ? [.. values.Cast<object?>().Select(ToText)] : null;

    static Dictionary<string, string?> ReadScalars(IEnumerable<KeyValuePair<string, object>> fields)
    {
        var scalars = new Dictionary<string, string?>();
        foreach (var (name, value) in fields)
        {
            var text = ToText(value);
            var isNull = (object?)value is null;
            if (text is not null || isNull)
            {
                scalars[name] = text;
            }
        }

        return scalars;
    }

    /// <summary>A value as JSON would write it; null where it is null, or not a single value.</summary>
    static string? ToText(object? value) =>
        value switch
        {
            null => null,
            string text => text,
            ReadOnlyMemory<char> text => text.ToString(),
            bool truth => truth ? "true" : "false",
            DateTime moment => moment.ToString("O", CultureInfo.InvariantCulture),
            double number when number == Math.Floor(number) && Math.Abs(number) < 1e15 => number.ToString(
                "0.0",
                CultureInfo.InvariantCulture
            ),
            IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
            _ => null,
        };

    /// <summary>
    /// Checks the footer's length and what it counts, which the library trusts: it would take that memory and time.
    /// </summary>
    void RequireFooter()
    {
        const int MagicAndLength = 12; // "PAR1" at both ends, and the footer's length before the second
        Span<byte> tail = stackalloc byte[8];
        if (_file.Length < MagicAndLength)
        {
            throw CreateUnreadableError("it is too short to be one", null);
        }

        _file.Seek(-tail.Length, SeekOrigin.End);
        _file.ReadExactly(tail);
        var length = BinaryPrimitives.ReadInt32LittleEndian(tail);
        if (!tail[4..].SequenceEqual("PAR1"u8))
        {
            throw CreateUnreadableError("its end is not that of one", null);
        }

        if (length <= 0 || length > _file.Length - MagicAndLength)
        {
            throw CreateUnreadableError($"its description would be {length} bytes of {_file.Length}", null);
        }

        var footer = new byte[length];
        _file.Seek(-tail.Length - length, SeekOrigin.End);
        _file.ReadExactly(footer);
        _file.Position = 0;
        if (!ParquetFooter.IsWhole(footer))
        {
            throw CreateUnreadableError("what describes its columns is damaged", null);
        }
    }

    UnpackedLimit CreateLimit() =>
        new(
            _maxUnpackedBytes,
            what => new DataFileException(
                CreateLocation(),
                $"a row group that {what}",
                "row groups of some thousand examples, which are held in memory one at a time",
                "Write the file again with smaller row groups, if it is what it should be."
            )
        );

    /// <summary>Checks what a row group unpacks to before it is read, by what the file says in two places.</summary>
    void RequireBounded(RowGroup group)
    {
        try
        {
            new ParquetPages(_file).Count(group, CreateLimit());
        }
        catch (InvalidDataException error)
        {
            throw CreateUnreadableError(error.Message, error);
        }
    }

    DataFileLocation CreateLocation() =>
        new()
        {
            File = File,
            Item = _descriptions.Count == 0 ? null : $"row group {_read + 1} of {_descriptions.Count}",
        };

    DataFileException CreateUnreadableError(string why, Exception? inner) =>
        new(
            CreateLocation(),
            $"no parquet file that can be read ({why})",
            "a parquet file",
            "The file may be cut short or damaged: fetch it again.",
            inner
        );

    T Wait<T>(Func<Task<T>> work)
    {
        try
        {
            return Task.Run(work).GetAwaiter().GetResult();
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            throw CreateUnreadableError(error.Message, error);
        }
    }
}
