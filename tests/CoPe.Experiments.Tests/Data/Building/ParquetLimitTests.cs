using CoPe.Experiments.Data.Building;
using CoPe.Experiments.Tasks;
using CoPe.Testing;
using Parquet;
using Parquet.Meta;
using Parquet.Serialization;

namespace CoPe.Experiments.Tests.Data.Building;

/// <summary>Parquet files of some kilobytes that unpack to many times that.</summary>
public sealed class ParquetLimitTests : IDisposable
{
    const int Rows = 1000;

    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_row_group_that_unpacks_beyond_the_limit_is_refused_before_it_is_read()
    {
        var path = await WriteAsync(row => $"{row}{new string('a', 4000)}");
        Assert.True(new FileInfo(path).Length < 1 << 20);

        var (read, error) = Read(path, maxUnpackedBytes: 1 << 20);

        Assert.Equal(0, read);
        Assert.StartsWith(
            $"{path}, item row group 1 of 1: found a row group that unpacks to more than 1 MB",
            error!.Message,
            StringComparison.Ordinal
        );
        Assert.Equal((Rows, null), Read(path, maxUnpackedBytes: 1 << 25));
    }

    [Fact]
    public async Task One_text_of_a_dictionary_counts_as_often_as_it_stands()
    {
        var path = await WriteAsync(_ => new string('a', 4000), hint: EncodingHint.Dictionary);

        var (read, error) = Read(path, maxUnpackedBytes: 1 << 20);

        Assert.InRange(read, 1, (1 << 20) / 8000);
        Assert.Contains("unpacks to more than 1 MB", error!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Neither_the_description_nor_the_pages_are_believed_alone()
    {
        var path = await WriteAsync(row => $"{row}{new string('a', 4000)}");
        await using var file = File.OpenRead(path);

        var group = await DescribeAsync(file);
        group.Columns.ForEach(column => column.MetaData!.TotalUncompressedSize = 0);
        Assert.True(IsRefused(file, group, maxBytes: 1 << 20));
        Assert.False(IsRefused(file, group, maxBytes: 1 << 25));

        group = await DescribeAsync(file);
        group.Columns[0].MetaData!.TotalUncompressedSize = 1L << 40;
        Assert.True(IsRefused(file, group, maxBytes: 1 << 25));

        group = await DescribeAsync(file);
        group.NumRows = long.MaxValue;
        Assert.True(IsRefused(file, group, maxBytes: 1 << 25));

        group = await DescribeAsync(file);
        group.Columns[0].MetaData!.NumValues = 1L << 30;
        Assert.True(IsRefused(file, group, maxBytes: 1 << 25));
    }

    [Theory]
    [InlineData(CompressionMethod.Snappy)]
    [InlineData(CompressionMethod.Gzip)]
    [InlineData(CompressionMethod.Zstd)]
    public async Task Sizes_that_are_not_true_end_as_a_fault_of_the_file(CompressionMethod method)
    {
        var path = await WriteAsync(row => $"{row}{new string('a', 4000)}", method);
        ColumnMetaData column;
        await using (var file = File.OpenRead(path))
        {
            column = (await DescribeAsync(file)).Columns[1].MetaData!;
        }

        var bytes = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
        var header = bytes.AsSpan((int)column.DataPageOffset);
        Assert.True(header is [0x15, _, 0x15, ..]); // the page's type, then its size unpacked
        var size = ReadNumber(header[3..]);
        WriteNumber(header[3..], 2000); // 1000, in as many bytes
        var total = bytes.AsSpan().LastIndexOf(Encode(column.TotalUncompressedSize * 2));
        Assert.True(size > 4000 * Rows && total > 0);
        WriteNumber(bytes.AsSpan(total), 2000);
        await File.WriteAllBytesAsync(path, bytes, TestContext.Current.CancellationToken);

        var (read, error) = Read(path, maxUnpackedBytes: 1 << 20);

        Assert.Equal(0, read);
        Assert.StartsWith($"{path}, item row group 1 of 1: found ", error!.Message, StringComparison.Ordinal);
    }

    static byte[] Encode(long number)
    {
        var bytes = new List<byte>();
        for (; number >= 0x80; number >>= 7)
        {
            bytes.Add((byte)(number | 0x80));
        }

        return [.. bytes, (byte)number];
    }

    static long ReadNumber(ReadOnlySpan<byte> bytes)
    {
        var number = 0L;
        for (var i = 0; ; i++)
        {
            number |= (long)(bytes[i] & 0x7f) << (7 * i);
            if (bytes[i] < 0x80)
            {
                return number / 2;
            }
        }
    }

    /// <summary>Writes a smaller number over one, in as many bytes.</summary>
    static void WriteNumber(Span<byte> bytes, long number)
    {
        for (var i = 0; ; i++, number >>= 7)
        {
            var isLast = bytes[i] < 0x80;
            bytes[i] = (byte)((byte)(number & 0x7f) + (isLast ? 0 : 0x80));
            if (isLast)
            {
                return;
            }
        }
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(long.MaxValue)]
    public async Task A_page_outside_the_file_is_a_fault_of_the_file(long offset)
    {
        await using var file = File.OpenRead(await WriteAsync(row => $"text {row}"));
        var group = await DescribeAsync(file);
        group.Columns[0].MetaData!.DictionaryPageOffset = null;
        group.Columns[0].MetaData!.DataPageOffset = offset;

        Assert.Throws<InvalidDataException>(() => IsRefused(file, group, maxBytes: 1 << 25));
    }

    static bool IsRefused(FileStream file, RowGroup group, long maxBytes)
    {
        try
        {
            new ParquetPages(file).Count(group, new(maxBytes, what => new NotSupportedException(what)));
            return false;
        }
        catch (NotSupportedException error)
        {
            Assert.Equal($"unpacks to more than {maxBytes >> 20} MB", error.Message);
            return true;
        }
    }

    static async Task<RowGroup> DescribeAsync(FileStream file)
    {
        await using var reader = await ParquetReader.CreateAsync(
            file,
            leaveStreamOpen: true,
            cancellationToken: TestContext.Current.CancellationToken
        );
        return Assert.Single(reader.Metadata!.RowGroups);
    }

    static (int Read, DataFileException? Error) Read(string path, long maxUnpackedBytes)
    {
        using var file = new ParquetExampleFile(path, maxUnpackedBytes);
        var read = 0;
        try
        {
            foreach (var example in file.ReadExamples(problem => throw problem))
            {
                Assert.NotNull(example.Profile);
                read++;
            }

            return (read, null);
        }
        catch (DataFileException error)
        {
            return (read, error);
        }
    }

    async Task<string> WriteAsync(
        Func<int, string> createInput,
        CompressionMethod method = CompressionMethod.Snappy,
        EncodingHint hint = EncodingHint.Default
    )
    {
        var path = _folder.At("x.parquet");
        var rows = Enumerable
            .Range(0, Rows)
            .Select(row => new TextRow
            {
                Id = $"{row}",
                Input = createInput(row),
                Profile = "[]",
            });
        await using var stream = File.Create(path);
        await ParquetSerializer.SerializeAsync(
            rows.ToList(),
            stream,
            new() { CompressionMethod = method, ColumnEncodingHints = { ["input"] = hint } },
            cancellationToken: TestContext.Current.CancellationToken
        );
        return path;
    }
}
