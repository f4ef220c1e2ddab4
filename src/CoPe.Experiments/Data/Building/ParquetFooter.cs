namespace CoPe.Experiments.Data.Building;

/// <summary>The footer of a parquet file: one structure in Thrift's compact protocol.</summary>
static class ParquetFooter
{
    /// <summary>Whether the bytes are one whole structure of parquet's and nothing else.</summary>
    public static bool IsWhole(ReadOnlySpan<byte> footer)
    {
        var walk = new ThriftWalk(footer, ParquetSchema.Structures);
        return walk.TrySkip(ParquetSchema.Footer) && walk.Position == footer.Length;
    }
}

/// <summary>The structures of footers and of the headers of pages.</summary>
/// <remarks>Source: https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift.</remarks>
static class ParquetSchema
{
    public const string Footer = "FileMetaData";
    public const string PageHeader = "PageHeader";

    public static readonly ThriftSchema Structures = new(
        """
        FileMetaData 1 number 2 [SchemaElement] 3 number 4 [RowGroup] 5 [KeyValue] 6 text
        FileMetaData 7 [ColumnOrder] 8 Encryption 9 text
        SchemaElement 1 number 2 number 3 number 4 text 5 number 6 number 7 number 8 number 9 number 10 LogicalType
        LogicalType 1 Empty 2 Empty 3 Empty 4 Empty 5 Decimal 6 Empty 7 Time 8 Time 10 Integer 11 Empty 12 Empty
        LogicalType 13 Empty 14 Empty 15 Empty 16 Variant 17 Geometry 18 Geography
        Decimal 1 number 2 number
        Time 1 truth 2 TimeUnit
        TimeUnit 1 Empty 2 Empty 3 Empty
        Integer 1 byte 2 truth
        Variant 1 byte
        Geometry 1 text
        Geography 1 text 2 number
        KeyValue 1 text 2 text
        ColumnOrder 1 Empty
        Encryption 1 AesGcm 2 AesGcm
        AesGcm 1 text 2 text 3 truth
        RowGroup 1 [ColumnChunk] 2 number 3 number 4 [SortingColumn] 5 number 6 number 7 number
        SortingColumn 1 number 2 truth 3 truth
        ColumnChunk 1 text 2 number 3 ColumnMetaData 4 number 5 number 6 number 7 number 8 ColumnCrypto 9 text
        ColumnCrypto 1 Empty 2 ColumnKey
        ColumnKey 1 [text] 2 text
        ColumnMetaData 1 number 2 [number] 3 [text] 4 number 5 number 6 number 7 number 8 [KeyValue] 9 number
        ColumnMetaData 10 number 11 number 12 Statistics 13 [PageEncodingStats] 14 number 15 number
        ColumnMetaData 16 SizeStatistics 17 Geospatial
        Statistics 1 text 2 text 3 number 4 number 5 text 6 text 7 truth 8 truth
        PageEncodingStats 1 number 2 number 3 number
        SizeStatistics 1 number 2 [number] 3 [number]
        Geospatial 1 BoundingBox 2 [number]
        BoundingBox 1 double 2 double 3 double 4 double 5 double 6 double 7 double 8 double
        PageHeader 1 number 2 number 3 number 4 number 5 DataPageHeader 6 Empty
        PageHeader 7 DictionaryPageHeader 8 DataPageHeaderV2
        DataPageHeader 1 number 2 number 3 number 4 number 5 Statistics
        DictionaryPageHeader 1 number 2 number 3 truth
        DataPageHeaderV2 1 number 2 number 3 number 4 number 5 number 6 number 7 truth 8 Statistics
        """
    );
}
