using System.Buffers.Binary;
using Parquet.Meta;

namespace CoPe.Experiments.Data.Building;

/// <summary>
/// What a packed page says of its own length. The library unpacks snappy and zstd by that and not by the page's header;
/// the other methods it unpacks to the header's length.
/// </summary>
/// <remarks>
/// Sources: https://github.com/google/snappy/blob/main/format_description.txt (the length comes first), RFC 8878
/// (frames of blocks, of which those that are compressed hold 128 KiB at most).
/// </remarks>
static class PackedPage
{
    const uint ZstdMagic = 0xFD2FB528;
    const int MaxZstdHeader = 18;
    const int MaxZstdBlock = 1 << 17;

    /// <summary>Bytes that a page unpacks to by its content; 0 where that says nothing.</summary>
    /// <param name="file">The file.</param>
    /// <param name="codec">How it is packed.</param>
    /// <param name="start">Where its content begins.</param>
    /// <param name="end">Where it ends.</param>
    public static long Measure(FileStream file, CompressionCodec codec, long start, long end)
    {
        end = Math.Min(end, file.Length);
        switch (codec)
        {
            case CompressionCodec.SNAPPY:
                var walk = new ThriftWalk(Read(file, start, end, MaxZstdHeader));
                return walk.TryReadNumber(out var length) ? (long)length : 0;
            case CompressionCodec.ZSTD:
                var total = 0L;
                while (start < end && MeasureFrame(file, ref start, end) is { } frame)
                {
                    total += frame is >= 0 and <= int.MaxValue
                        ? frame
                        : throw new InvalidDataException($"a page would unpack to {(ulong)frame} bytes");
                }

                return total;
            default:
                return 0;
        }
    }

    /// <summary>
    /// What a frame of zstd unpacks to, by its header or else by its blocks, and moves behind it; null for none.
    /// </summary>
    static long? MeasureFrame(FileStream file, ref long place, long end)
    {
        var header = Read(file, place, end, MaxZstdHeader);
        if (header.Length < MaxZstdHeader / 2 || BinaryPrimitives.ReadUInt32LittleEndian(header) != ZstdMagic)
        {
            return null;
        }

        var (descriptor, isSingle) = (header[4], (header[4] & 0x20) != 0);
        var position =
            5
            + (isSingle ? 0 : 1)
            + (descriptor & 3) switch
            {
                3 => 4,
                var dictionary => dictionary,
            };
        var sizeLength = (descriptor >> 6) switch
        {
            0 => isSingle ? 1 : 0,
            var power => 1 << power,
        };
        var size = 0L;
        for (var i = 0; i < sizeLength && position + i < header.Length; i++)
        {
            size |= (long)header[position + i] << (8 * i);
        }

        place += position + sizeLength;
        var blocks = MeasureBlocks(file, ref place, end);
        place += (descriptor & 4) == 0 ? 0 : sizeof(uint); // a checksum
        return sizeLength switch
        {
            0 => blocks,
            2 => size + 256,
            _ => size,
        };
    }

    static long MeasureBlocks(FileStream file, ref long place, long end)
    {
        const int HeaderLength = 3;
        var total = 0L;
        for (var isLast = false; !isLast && place + HeaderLength <= end;)
        {
            var bytes = Read(file, place, end, HeaderLength);
            var header = bytes[0] | (bytes[1] << 8) | (bytes[2] << 16);
            var (kind, size) = ((header >> 1) & 3, header >> 3);
            total += kind >= 2 ? MaxZstdBlock : size;
            place += HeaderLength + (kind == 1 ? 1 : size); // one byte, repeated
            isLast = (header & 1) != 0;
        }

        return total;
    }

    static byte[] Read(FileStream file, long start, long end, int count)
    {
        var bytes = new byte[Math.Clamp(end - start, 0, count)];
        file.Position = start;
        file.ReadExactly(bytes);
        return bytes;
    }
}
