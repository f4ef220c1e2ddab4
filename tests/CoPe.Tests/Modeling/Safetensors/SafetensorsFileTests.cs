using System.Buffers.Binary;
using System.Text;
using CoPe.Modeling;
using CoPe.Modeling.Safetensors;
using CoPe.Testing;
using static TorchSharp.torch;

namespace CoPe.Tests.Modeling.Safetensors;

/// <summary>Whole files are read in place; malformed ones are refused with file and tensor.</summary>
[Collection("torch")]
public class SafetensorsFileTests
{
    internal static byte[] CreateFile(string header, int dataBytes, long? claimed = null)
    {
        var json = Encoding.UTF8.GetBytes(header);
        var bytes = new byte[8 + json.Length + dataBytes];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, claimed ?? json.Length);
        json.CopyTo(bytes, 8);
        return bytes;
    }

    static string Entry(string name, int begin, int end, string shape = "[2]", string dtype = "F32") =>
        $$"""
            "{{name}}":{"dtype":"{{dtype}}","shape":{{shape}},"data_offsets":[{{begin}},{{end}}]}
            """;

    public static TheoryData<string, byte[], string> MalformedFiles =>
        new()
        {
            { "empty", [], "has 0 bytes" },
            { "seven bytes", new byte[7], "has 7 bytes" },
            {
                "LFS pointer",
                Encoding.UTF8.GetBytes("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n"),
                "Git LFS pointer"
            },
            { "header past the file", CreateFile("{}", 0, 1000), "truncated" },
            { "huge header", CreateFile("{}", 0, long.MaxValue), "truncated" },
            { "header as long as the format allows", CreateFile("{}", 0, 100_000_000), "truncated" },
            { "negative header length", CreateFile("{}", 0, -1), "truncated" },
            { "no JSON", CreateFile("{\"a\":", 0), "no valid JSON" },
            { "a list", CreateFile("[1]", 0), "does not begin with an object" },
            { "a mark before the header", CreateFile("\uFEFF{}", 0), "does not begin with an object" },
            { "two headers", CreateFile("{}{}", 0), "no valid JSON" },
            { "half of a pair", CreateFile("{\"__metadata__\": {\"a\": \"\\ud800\"}}", 0), "half of a surrogate pair" },
            { "no UTF-8", CreateFile("{\"\u0001\": \"\uD800\"}", 0), "" },
            { "deep nesting", CreateFile("{\"a\":" + new string('[', 5000), 0), "nested too deeply" },
            { "truncated data", CreateFile($"{{{Entry("a", 0, 8)}}}", 7), "a: data ends" },
            { "offset past the end", CreateFile($"{{{Entry("a", 800, 808)}}}", 8), "a: data begins" },
            { "overlap", CreateFile($"{{{Entry("a", 0, 8)},{Entry("b", 4, 12)}}}", 12), "b: data begins" },
            { "same bytes twice", CreateFile($"{{{Entry("a", 0, 8)},{Entry("b", 0, 8)}}}", 8), "data begins" },
            { "gap", CreateFile($"{{{Entry("a", 0, 8)},{Entry("b", 12, 20)}}}", 20), "b: data begins" },
            { "bytes after the last", CreateFile($"{{{Entry("a", 0, 8)}}}", 9), "after its last tensor" },
            {
                "twice the same name",
                CreateFile($"{{{Entry("a", 0, 8)},{Entry("a", 8, 16)}}}", 16),
                "at a: the key \"a\" stands twice"
            },
            {
                "a field twice",
                CreateFile("{\"a\":{\"dtype\":\"F64\",\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8),
                "at a.dtype: the key \"dtype\" stands twice"
            },
            { "metadata no object", CreateFile("{\"__metadata__\":5}", 0), "__metadata__: is a number" },
            { "negative offset", CreateFile($"{{{Entry("a", -8, 0)}}}", 8), "a: data_offsets" },
            {
                "offset past any number",
                CreateFile("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,18446744073709551616]}}", 8),
                "a: data_offsets"
            },
            {
                "offset at the end of numbers",
                CreateFile(
                    "{\"a\":{\"dtype\":\"F32\",\"shape\":[0],"
                        + "\"data_offsets\":[9223372036854775807,9223372036854775807]}}",
                    8
                ),
                "a: data offset"
            },
            {
                "fractional offset",
                CreateFile("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8.5]}}", 8),
                "a: data_offsets"
            },
            {
                "three offsets",
                CreateFile("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4,8]}}", 8),
                "a: data_offsets"
            },
            {
                "deep nesting in the metadata",
                CreateFile(
                    "{\"__metadata__\":"
                        + string.Concat(Enumerable.Repeat("{\"a\":", 3000))
                        + "1"
                        + new string('}', 3001),
                    0
                ),
                "nested too deeply"
            },
            {
                "a thousand dimensions",
                CreateFile($"{{{Entry("a", 0, 8, $"[{string.Join(',', Enumerable.Repeat("1", 1000))}]")}}}", 8),
                "a: shape [1, 1, 1, 1, 1, 1, 1, 1, ...]"
            },
            { "unknown dtype", CreateFile($"{{{Entry("a", 0, 8, dtype: "F3")}}}", 8), "a: dtype F3" },
            { "no whole bytes", CreateFile($"{{{Entry("a", 0, 1, "[3]", "F6_E2M3")}}}", 1), "a: shape [3] of F6_E2M3" },
            { "shape does not fill", CreateFile($"{{{Entry("a", 0, 8, "[3]")}}}", 8), "a: shape [3]" },
            {
                "shape overflows",
                CreateFile($"{{{Entry("a", 0, 8, "[4611686018427387904,4611686018427387904]")}}}", 8),
                "a: shape"
            },
            { "negative shape", CreateFile($"{{{Entry("a", 0, 8, "[-2]")}}}", 8), "a: the shape" },
            { "fractional shape", CreateFile($"{{{Entry("a", 0, 8, "[2.5]")}}}", 8), "a: the shape" },
            { "offsets swapped", CreateFile($"{{{Entry("a", 8, 0)}}}", 8), "a: data_offsets" },
            {
                "entry without dtype",
                CreateFile("{\"a\":{\"shape\":[2],\"data_offsets\":[0,8]}}", 8),
                "a: the header entry"
            },
            { "entry no object", CreateFile("{\"a\":3}", 8), "a: the header entry" },
        };

    [Theory]
    [MemberData(nameof(MalformedFiles))]
    public void A_malformed_file_is_refused_with_its_name_and_the_tensor(string name, byte[] bytes, string expected)
    {
        using var folder = new TemporaryFolder();
        var path = folder.At($"{name.Replace(' ', '_')}.safetensors");
        File.WriteAllBytes(path, bytes);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var error = Assert.Throws<ModelFileException>(() => SafetensorsFile.Open(path).Dispose());
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20); // whatever the file claims
        Assert.Equal(path, error.File);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("F8_E4M3", "[2, 3]", 6)]
    [InlineData("F8_E5M2", "[6]", 6)]
    [InlineData("F8_E8M0", "[6]", 6)]
    [InlineData("F6_E3M2", "[4]", 3)]
    [InlineData("F4", "[4, 3]", 6)]
    [InlineData("U16", "[3]", 6)]
    [InlineData("U32", "[2]", 8)]
    [InlineData("U64", "[1]", 8)]
    [InlineData("C64", "[1]", 8)]
    public void A_tensor_that_is_not_computed_with_lies_in_a_file_and_is_refused_where_it_is_read(
        string dtype,
        string shape,
        int bytes
    )
    {
        using var folder = new TemporaryFolder();
        var header = $"{{\"__metadata__\":null,{Entry("a", 0, bytes, shape, dtype)}}}";
        File.WriteAllBytes(folder.At("file"), CreateFile(header, bytes));
        using var file = SafetensorsFile.Open(folder.At("file"));
        var error = Assert.Throws<ModelFileException>(() => file.Read("a"));
        Assert.Contains($"a: has dtype {dtype}", error.Message, StringComparison.Ordinal);
        using var content = file.ReadBytes("a");
        Assert.Equal(bytes, content.numel());
    }

    [Fact]
    public void Random_damage_never_does_worse_than_a_typed_error()
    {
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        SafetensorsWriter.Write(
            folder.At("whole"),
            new Dictionary<string, Tensor> { ["a"] = ones(3, 2), ["b"] = ones(4, dtype: ScalarType.Int64) }
        );
        var whole = File.ReadAllBytes(folder.At("whole"));
        var random = new Random(1);
        for (var i = 0; i < 300; i++)
        {
            var bytes = whole[..(random.Next(4) == 0 ? random.Next(whole.Length) : whole.Length)];
            for (var j = random.Next(4); j > 0 && bytes.Length > 0; j--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            File.WriteAllBytes(folder.At("damaged"), bytes);
            try
            {
                using var file = SafetensorsFile.Open(folder.At("damaged"));
                foreach (var entry in file.Entries)
                {
                    using (file.ReadBytes(entry.Name)) { }
                    using (file.Read(entry.Name)) { }
                }
            }
            catch (ModelFileException)
            {
                continue;
            }
        }
    }

    [Fact]
    public void What_is_written_is_read_in_every_dtype()
    {
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        ScalarType[] types =
        [
            ScalarType.Float64,
            ScalarType.Float32,
            ScalarType.Float16,
            ScalarType.BFloat16,
            ScalarType.Int64,
            ScalarType.Int32,
            ScalarType.Int16,
            ScalarType.Int8,
            ScalarType.Byte,
            ScalarType.Bool,
        ];
        var tensors = types.ToDictionary(t => $"{t}", t => arange(6).view(2, 3).to(t));
        tensors["empty"] = zeros([0, 4]);
        tensors["scalar"] = tensor(3.5f);
        SafetensorsWriter.Write(folder.At("all"), tensors);
        Assert.Equal(["all"], Directory.GetFiles(folder.Path).Select(f => Path.GetFileName(f)!));
        using var file = SafetensorsFile.Open(folder.At("all"));
        foreach (var (name, written) in tensors)
        {
            var read = file.Read(name);
            Assert.Equal(written.dtype, read.dtype);
            Assert.Equal(written.shape, read.shape);
            Assert.True(read.equal(written).all().item<bool>());
            read.Dispose();
        }
    }

    [Fact]
    public void Bytes_equal_those_of_the_original_library()
    {
        using var folder = new TemporaryFolder();
        var original = GoldenFolders
            .Entries("adapters", "*")
            .Select(model => Path.Combine(model, "tam", "adapter_model.safetensors"))
            .First(File.Exists);
        using var file = SafetensorsFile.Open(original);
        var tensors = file.Entries.ToDictionary(e => e.Name, e => file.Read(e.Name));
        SafetensorsWriter.Write(folder.At("copy"), tensors);
        foreach (var tensor in tensors.Values)
        {
            tensor.Dispose();
        }

        Assert.Equal(File.ReadAllBytes(original), File.ReadAllBytes(folder.At("copy")));
    }

    [Fact]
    public void Tensors_outlive_the_file_object_and_release_the_mapping_with_the_last()
    {
        using var folder = new TemporaryFolder();
        using (var ones3 = ones(3))
        {
            SafetensorsWriter.Write(folder.At("file"), new Dictionary<string, Tensor> { ["a"] = ones3 });
        }

        CollectGarbage(); // mappings that earlier tests left to the collector
        var before = MappedFile.OpenCount;
        Tensor view;
        using (var file = SafetensorsFile.Open(folder.At("file")))
        using (var tensor = file.Read("a"))
        {
            view = tensor.narrow(0, 1, 2);
        }

        Assert.Equal(before + 1, MappedFile.OpenCount);
        Assert.Equal(1f, view[1].item<float>());
        view.Dispose();
        CollectGarbage(); // the indexed view above
        Assert.Equal(before, MappedFile.OpenCount);
    }

    static void CollectGarbage()
    {
        for (var i = 0; i < 2; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }
}
