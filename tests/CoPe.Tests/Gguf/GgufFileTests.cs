using System.Buffers.Binary;
using System.Text;
using CoPe.Gguf;
using CoPe.Testing;

namespace CoPe.Tests.Gguf;

public sealed class GgufFileTests : IDisposable
{
    readonly TemporaryFolder _folder = new();

    string FilePath => _folder.At("x.gguf");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_is_written_is_read()
    {
        KeyValuePair<string, object>[] metadata =
        [
            new("text", "\u00E9"),
            new("flag", true),
            new("whole", 7u),
            new("number", 1e-5f),
            new("texts", new[] { "a", "" }),
            new("numbers", new[] { 1.5f, -2 }),
            new("kinds", new[] { 3, -1 }),
        ];
        GgufWriter.Write(FilePath, metadata, [Zeros("a", GgufType.F32, 2, 3), Zeros("b", GgufType.Q8_0, 1, 64)]);
        var file = GgufFile.Open(FilePath);
        Assert.Equal("\u00E9", file.GetString("text"));
        Assert.True(file.GetBoolean("flag"));
        Assert.Equal(7, file.GetInteger("whole"));
        Assert.Equal(1e-5, file.GetNumber("number"));
        Assert.Equal(["a", ""], file.GetStrings("texts")!);
        Assert.Equal([1.5, -2], file.GetNumbers("numbers")!);
        Assert.Equal([3, -1], file.GetNumbers("kinds")!);
        Assert.Null(file.GetString("other"));
        Assert.Equal(["a", "b"], file.Tensors.Select(tensor => tensor.Name));
        Assert.Equal([2, 3], file.Tensors[0].Shape);
        Assert.Equal(24, file.Tensors[0].Bytes);
        Assert.Equal(68, file.Tensors[1].Bytes);
        Assert.Equal(0, file.Tensors[1].Offset % 32);
    }

    [Fact]
    public void A_key_of_another_kind_is_named_with_what_it_is()
    {
        GgufWriter.Write(FilePath, [new("k", "text")], []);
        var error = Assert.Throws<GgufException>(() => GgufFile.Open(FilePath).GetInteger("k"));
        Assert.Equal("k", error.Part);
    }

    [Fact]
    public void Every_truncation_is_refused()
    {
        GgufWriter.Write(FilePath, [new("k", "text"), new("n", new[] { 1, 2 })], [Zeros("a", GgufType.F32, 2, 3)]);
        var bytes = File.ReadAllBytes(FilePath);
        // The last tensor ends before the padding.
        var end = GgufFile.Open(FilePath).Tensors[0];
        for (var length = 0; length < end.Offset + end.Bytes; length++)
        {
            File.WriteAllBytes(FilePath, bytes[..length]);
            Assert.Throws<GgufException>(() => GgufFile.Open(FilePath));
        }
    }

    [Theory]
    [InlineData("magic")]
    [InlineData("version")]
    [InlineData("tensors")]
    [InlineData("keys")]
    [InlineData("key length")]
    [InlineData("value type")]
    [InlineData("array of arrays")]
    [InlineData("array count")]
    [InlineData("text length")]
    [InlineData("bool")]
    [InlineData("key twice")]
    [InlineData("alignment")]
    [InlineData("name twice")]
    [InlineData("dimensions")]
    [InlineData("zero")]
    [InlineData("huge shape")]
    [InlineData("type")]
    [InlineData("type that is known by name")]
    [InlineData("broken block")]
    [InlineData("offset")]
    [InlineData("offset between")]
    [InlineData("overlap")]
    [InlineData("split")]
    public void Damage_is_refused_before_memory_is_taken(string damage)
    {
        File.WriteAllBytes(FilePath, Damaged.Create(damage));
        GC.Collect();
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<GgufException>(() => GgufFile.Open(FilePath));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void A_file_without_damage_is_read() // so that the others are refused for their damage alone
    {
        File.WriteAllBytes(FilePath, Damaged.Create("none"));
        Assert.Equal(2, GgufFile.Open(FilePath).Tensors.Count);
    }

    [Fact]
    public void A_type_that_is_not_read_is_named()
    {
        File.WriteAllBytes(FilePath, Damaged.Create("type that is known by name"));
        var error = Assert.Throws<GgufException>(() => GgufFile.Open(FilePath));
        Assert.Equal("a", error.Part);
        Assert.Contains("IQ2_XS", error.Message, StringComparison.Ordinal);
    }

    static GgufTensorSource Zeros(string name, GgufType type, params long[] shape) =>
        new(
            name,
            type,
            shape,
            stream => stream.Write(new byte[shape.Aggregate(1L, (a, b) => a * b) / type.BlockSize * type.BlockBytes])
        );

    /// <summary>A small file, written by hand, with one thing wrong.</summary>
    sealed class Damaged(string damage) : IDisposable
    {
        readonly MemoryStream _bytes = new();

        public static byte[] Create(string damage)
        {
            using var file = new Damaged(damage);
            file.WriteHeader();
            return file._bytes.ToArray();
        }

        public void Dispose() => _bytes.Dispose();

        T When<T>(string what, T wrong, T right) => damage == what ? wrong : right;

        void WriteHeader()
        {
            U32(When("magic", 0x46554747u + 1, 0x46554747u));
            U32(When("version", 1u, 3u));
            U64(When("tensors", 1ul << 60, 2ul));
            U64(When("keys", ulong.MaxValue, 4ul));
            U64(When("key length", 1ul << 60, 1ul));
            Bytes("k");
            U32(When("value type", 13u, 8u));
            U64(When("text length", 1ul << 60, 2ul));
            Bytes("ab");
            Text(When("key twice", "k", "l"));
            U32(9);
            U32(When("array of arrays", 9u, 4u));
            U64(When("array count", ulong.MaxValue / 4, 1ul));
            U32(5);
            Text("f");
            U32(7);
            _bytes.WriteByte(When("bool", (byte)2, (byte)1));
            Text(When("split", "split.count", "general.alignment"));
            U32(4);
            U32(When("alignment", 48u, 32u));
            Tensor("a", 0);
            Tensor(When("name twice", "a", "b"), When("overlap", 0ul, 64ul));
            _bytes.Write(new byte[(32 - _bytes.Length % 32) % 32 + 64 + 34]);
        }

        void Tensor(string name, ulong offset)
        {
            Text(name);
            U32(When("dimensions", 5u, 2u));
            U64(When("broken block", 33ul, When("huge shape", 1ul << 62, 32ul)));
            U64(When("zero", 0ul, When("huge shape", 1ul << 62, 1ul)));
            U32(When("type", 99u, When("type that is known by name", 17u, 8u)));
            U64(offset + When("offset", 1ul << 50, When("offset between", 1ul, 0ul)));
        }

        void U32(uint value)
        {
            Span<byte> bytes = stackalloc byte[4];
            BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
            _bytes.Write(bytes);
        }

        void U64(ulong value)
        {
            Span<byte> bytes = stackalloc byte[8];
            BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
            _bytes.Write(bytes);
        }

        void Text(string text)
        {
            U64((ulong)text.Length);
            Bytes(text);
        }

        void Bytes(string text) => _bytes.Write(Encoding.ASCII.GetBytes(text));
    }
}
