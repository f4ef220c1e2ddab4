using Parquet.Meta;

namespace CoPe.Experiments.Data.Building;

/// <summary>
/// Adds up what a row group of a parquet file unpacks to: what its description says, and what the headers of its pages
/// say, for the library allocates what it reads in either.
/// </summary>
/// <param name="file">The file.</param>
sealed class ParquetPages(FileStream file)
{
    /// <summary>
    /// What a value takes beside its bytes: a place among the values, its levels, its number in the dictionary.
    /// </summary>
    const int BytesPerValue = 32;

    const int FirstWindow = 1 << 12;

    /// <summary>A header holds the least and the greatest value of its page, which are texts here.</summary>
    const int MaxHeader = 1 << 24;

    const int UncompressedSize = 2;
    const int CompressedSize = 3;
    const int DataPage = 5;
    const int DictionaryPage = 7;
    const int SecondDataPage = 8;
    const int ValueCount = 1;
    const int DefinitionBytes = 5;
    const int RepetitionBytes = 6;
    const int IsCompressed = 7;

    readonly Dictionary<(int Outer, int Inner), long> _numbers = [];

    /// <summary>Counts a row group before it is read.</summary>
    /// <param name="group">Its description.</param>
    /// <param name="limit">What is left for it.</param>
    /// <exception cref="InvalidDataException">A page's header cannot be read.</exception>
    public void Count(RowGroup group, UnpackedLimit limit)
    {
        limit.Take(group.NumRows, BytesPerValue);
        foreach (var column in group.Columns)
        {
            if (column.MetaData is { } description)
            {
                limit.Take(description.NumValues, BytesPerValue);
                limit.Take(Math.Max(description.TotalUncompressedSize, CountPages(description, limit)));
            }
        }
    }

    /// <summary>Bytes that the pages of a column unpack to by their headers.</summary>
    long CountPages(ColumnMetaData column, UnpackedLimit limit)
    {
        var place = column.DataPageOffset;
        if (column.DictionaryPageOffset is { } dictionary && dictionary > 0)
        {
            place = Math.Min(place, dictionary);
        }

        var (bytes, values) = (0L, 0L);
        while (values < column.NumValues)
        {
            var content = place + ReadHeader(place);
            place = content + Get(CompressedSize);
            var levels = Get(SecondDataPage, DefinitionBytes) + Get(SecondDataPage, RepetitionBytes);
            var isPacked = _numbers.GetValueOrDefault((SecondDataPage, IsCompressed), 1) != 0;
            var packed = isPacked ? PackedPage.Measure(file, column.Codec, content + levels, place) : 0;
            bytes += Math.Max(Get(UncompressedSize), packed);
            limit.Require(bytes);
            limit.Take(Get(DictionaryPage, ValueCount), BytesPerValue);
            if (!Has(DataPage) && !Has(SecondDataPage) && !Has(DictionaryPage))
            {
                break; // The library stops there too.
            }

            values += Get(DataPage, ValueCount) + Get(SecondDataPage, ValueCount);
        }

        return bytes;
    }

    bool Has(int page) => _numbers.ContainsKey((page, ValueCount));

    long Get(int field) => Get(0, field);

    long Get(int outer, int field) =>
        _numbers.GetValueOrDefault((outer, field)) is >= 0 and <= int.MaxValue and var number
            ? number
            : throw new InvalidDataException("a page has a size that is none");

    /// <summary>Reads the header of a page into the numbers; returns its length.</summary>
    int ReadHeader(long place)
    {
        if (place < 0 || place >= file.Length)
        {
            throw new InvalidDataException("a page lies outside the file");
        }

        for (var window = FirstWindow; window <= MaxHeader; window *= 8)
        {
            var bytes = new byte[Math.Min(window, file.Length - place)];
            file.Position = place;
            file.ReadExactly(bytes);
            _numbers.Clear();
            var walk = new ThriftWalk(bytes, ParquetSchema.Structures);
            if (walk.TryReadNumbers(ParquetSchema.PageHeader, _numbers))
            {
                return walk.Position;
            }
        }

        throw new InvalidDataException("the header of a page is damaged");
    }
}
