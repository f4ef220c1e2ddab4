using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace CoPe.Gguf;

/// <summary>
/// Reads a GGUF file's header from front to back. Every length is held against what the file has left before memory
/// is taken for it.
/// </summary>
sealed class GgufCursor : IDisposable
{
    /// <summary>Most bytes of metadata and tensor list: a tokenizer of a million tokens has a tenth of it.</summary>
    public const long MaxHeaderBytes = 1 << 29;

    /// <summary>Most bytes of a key or a tensor's name.</summary>
    public const int MaxNameBytes = ushort.MaxValue;

    static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    readonly FileStream _stream;

    public GgufCursor(string path, long position = 0)
    {
        _stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1 << 16);
        Length = _stream.Length;
        _stream.Position = position;
    }

    /// <summary>Bytes of the file.</summary>
    public long Length { get; }

    /// <summary>Where the next byte lies.</summary>
    public long Position => _stream.Position;

    /// <summary>Bytes that a header can still have.</summary>
    long Remaining => Math.Min(Length, MaxHeaderBytes) - Position;

    public uint ReadUInt32(string part)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        Fill(bytes, part);
        return BinaryPrimitives.ReadUInt32LittleEndian(bytes);
    }

    public ulong ReadUInt64(string part)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        Fill(bytes, part);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }

    /// <summary>A number of things of which each takes so many bytes at least.</summary>
    public long ReadCount(string part, string what, int bytesOfEach)
    {
        var count = ReadUInt64(part);
        return count <= (ulong)(Remaining / bytesOfEach)
            ? (long)count
            : throw new GgufException(
                part,
                $"says {count} {what}, of at least {bytesOfEach} bytes each, but {Describe(Remaining)}"
            );
    }

    /// <summary>A text: its length, then UTF-8.</summary>
    public string ReadString(string part, long maxBytes = long.MaxValue)
    {
        var length = ReadLength(part, maxBytes);
        var bytes = new byte[length];
        Fill(bytes, part);
        try
        {
            return StrictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw new GgufException(part, "holds a text that is not UTF-8; the file is damaged: download it again");
        }
    }

    public void SkipString(string part) => Skip(ReadLength(part, long.MaxValue), part);

    public void Skip(long bytes, string part)
    {
        ThrowIfBeyond((ulong)bytes, part);
        _stream.Seek(bytes, SeekOrigin.Current);
    }

    /// <summary>A value that is no text and no array, as the widest type of its kind.</summary>
    public object ReadScalar(GgufValueType type, string part)
    {
        Span<byte> bytes = stackalloc byte[GetSize(type)];
        Fill(bytes, part);
        return type switch
        {
            GgufValueType.UInt8 => (long)bytes[0],
            GgufValueType.Int8 => (long)(sbyte)bytes[0],
            GgufValueType.UInt16 => (long)BinaryPrimitives.ReadUInt16LittleEndian(bytes),
            GgufValueType.Int16 => (long)BinaryPrimitives.ReadInt16LittleEndian(bytes),
            GgufValueType.UInt32 => (long)BinaryPrimitives.ReadUInt32LittleEndian(bytes),
            GgufValueType.Int32 => (long)BinaryPrimitives.ReadInt32LittleEndian(bytes),
            GgufValueType.UInt64 when BinaryPrimitives.ReadUInt64LittleEndian(bytes) is var number => number
            <= long.MaxValue
                ? (long)number
                : throw new GgufException(part, $"is {number}, more than any such number can be"),
            GgufValueType.Int64 => BinaryPrimitives.ReadInt64LittleEndian(bytes),
            GgufValueType.Float32 => Widen(BinaryPrimitives.ReadSingleLittleEndian(bytes)),
            GgufValueType.Float64 => BinaryPrimitives.ReadDoubleLittleEndian(bytes),
            GgufValueType.Bool when bytes[0] <= 1 => bytes[0] == 1,
            _ => throw new GgufException(part, $"is {bytes[0]}; a bool, 0 or 1, was expected"),
        };
    }

    /// <summary>The shortest decimal that is this float: 1e-5 stays 1e-5.</summary>
    static double Widen(float number) =>
        double.Parse(number.ToString("R", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    /// <summary>Bytes of a value that is no text and no array.</summary>
    public static int GetSize(GgufValueType type) =>
        type switch
        {
            GgufValueType.UInt8 or GgufValueType.Int8 or GgufValueType.Bool => 1,
            GgufValueType.UInt16 or GgufValueType.Int16 => 2,
            GgufValueType.UInt32 or GgufValueType.Int32 or GgufValueType.Float32 => 4,
            _ => 8,
        };

    long ReadLength(string part, long maxBytes)
    {
        var length = ReadUInt64(part);
        ThrowIfBeyond(length, part);
        return (long)length <= maxBytes
            ? (long)length
            : throw new GgufException(part, $"has a text of {length} bytes; at most {maxBytes} were expected");
    }

    void Fill(Span<byte> bytes, string part)
    {
        ThrowIfBeyond((ulong)bytes.Length, part);
        _stream.ReadExactly(bytes);
    }

    void ThrowIfBeyond(ulong bytes, string part)
    {
        if (bytes > (ulong)Math.Max(0, Remaining))
        {
            throw new GgufException(
                part,
                $"needs {bytes} bytes at byte {Position}, but {Describe(Remaining)}; it is truncated or damaged: "
                    + "download it again"
            );
        }
    }

    string Describe(long remaining) =>
        Length <= MaxHeaderBytes
            ? $"the file has {Math.Max(0, remaining)} left"
            : $"a header has at most {MaxHeaderBytes}, {Math.Max(0, remaining)} of them left";

    public void Dispose() => _stream.Dispose();
}
