using CoPe.Adapters;
using CoPe.Gguf;
using CoPe.Modeling;
using CoPe.Modeling.Gguf;
using CoPe.Testing;
using CoPe.Tests.Tokens;
using static TorchSharp.torch;

namespace CoPe.Tests.Modeling.Gguf;

/// <summary>Models as GGUF files, written here and read again.</summary>
[Collection("torch")]
public sealed class GgufModelTests : IDisposable
{
    static readonly string[] Written = [.. GgufArchitecture.All.SelectMany(architecture => architecture.ModelTypes)];

    readonly TemporaryFolder _folder = new();

    string FilePath => _folder.At("model.gguf");

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> Files =>
        [
            .. GoldenFolders
                .Entries("forward", "*.safetensors")
                .Where(file => IsWritten(DecoderConfig.Read(ForwardGoldenTests.ModelOf(file)))),
        ];

    /// <summary>Whether llama.cpp computes such a model: it knows no windows but Gemma's.</summary>
    static bool IsWritten(DecoderConfig config) =>
        Written.Contains(config.ModelType) && config is { SlidingWindow: null, Rope.Scaling: not RopeScaling.LongRope };

    [Theory]
    [MemberData(nameof(Files))]
    public void Logits_from_a_file_equal_the_originals(string golden)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Export(ForwardGoldenTests.ModelOf(golden), GgufType.F32);
        using var model = CausalLm.Load(FilePath, ScalarType.Float32);
        var tensors = new GoldenTensors(golden);
        var logits = ForwardGoldenTests.Logits(model, tensors["ids"]);
        Assert.InRange(GoldenTensors.Difference(logits, tensors["logits"]), 0, 1e-4);
    }

    public static TheoryData<string> Cases =>
        ["llama", "biases", "llama3", "yarn", "linear", "qwen2", "qwen3", "gemma3"];

    static DecoderConfig CreateConfig(string name)
    {
        var plain = TinyModels.Plain with
        {
            HiddenSize = 64,
            IntermediateSize = 96,
            HeadDim = 32,
            Dtype = ScalarType.Float32,
        };
        return name switch
        {
            "biases" => plain with
            {
                QueryKeyValueBias = true,
                OutputBias = true,
                FeedForwardBias = true,
                TiedHead = false,
            },
            "llama3" => plain with
            {
                Rope = new()
                {
                    Theta = 500000,
                    Scaling = RopeScaling.Llama3,
                    Factor = 8,
                },
            },
            "yarn" => plain with
            {
                MaxPositions = 4096,
                Rope = new()
                {
                    Scaling = RopeScaling.Yarn,
                    Factor = 4,
                    OriginalMaxPositions = 1024,
                    AttentionFactor = 0.1 * Math.Log(4) + 1,
                },
            },
            "linear" => plain with
            {
                Rope = new() { Scaling = RopeScaling.Linear, Factor = 8 },
            },
            "qwen2" => plain with { ModelType = "qwen2", HeadDim = 16, QueryKeyValueBias = true, NormEpsilon = 1e-6 },
            "qwen3" => plain with { ModelType = "qwen3", QueryKeyNorm = true, TiedHead = false },
            "gemma3" => plain with
            {
                ModelType = "gemma3_text",
                LayerCount = 7,
                QueryKeyNorm = true,
                NormAddsOne = true,
                Norms = LayerNorms.AroundBlocks,
                ScaleEmbedding = true,
                Activation = Activation.GeluTanh,
                QueryScalar = 32,
                SlidingWindow = 4,
                SlidingLayers = [true, true, true, true, true, false, true],
                SlidingRope = new() { Theta = 10000 },
                Rope = new()
                {
                    Theta = 1e6,
                    Scaling = RopeScaling.Linear,
                    Factor = 8,
                },
            },
            _ => plain,
        };
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_model_is_read_as_it_was_written(string name)
    {
        using var scope = NewDisposeScope();
        using var written = Save(CreateConfig(name));
        Export(_folder.At("model"), GgufType.F32);
        using var read = CausalLm.Load(FilePath);
        Assert.Equal(
            WriteJson(DecoderConfig.Read(_folder.At("model")) with { BosTokenId = null, PadTokenId = null }),
            WriteJson(read.Config with { BosTokenId = null, PadTokenId = null, StopTokenIds = [] })
        );
        Assert.Equal(written.Weights.Names, read.Weights.Names);
        Assert.All(read.Weights.Names, weight => AssertNear(written.Weights[weight], read.Weights[weight], name));
    }

    static string WriteJson(DecoderConfig config) => DecoderConfigWriter.ToJson(config, ScalarType.Float32);

    /// <summary>Equal, but for norms from which one was taken off.</summary>
    static void AssertNear(Tensor expected, Tensor actual, string name) =>
        Assert.InRange(GoldenTensors.Difference(expected, actual), 0, name == "gemma3" ? 1e-6 : 0);

    [Theory]
    [InlineData("F16", 1e-3)]
    [InlineData("BF16", 8e-3)]
    [InlineData("Q8_0", 1e-2)]
    [InlineData("Q4_0", 0.2)]
    public void Fewer_bits_stay_near(string name, double tolerance)
    {
        using var scope = NewDisposeScope();
        using var written = Save(CreateConfig("llama"));
        Export(_folder.At("model"), GgufExport.Types.Single(type => type.Name == name));
        using var read = CausalLm.Load(FilePath, ScalarType.Float32);
        foreach (var weight in read.Weights.Names)
        {
            var (expected, actual) = (written.Weights[weight], read.Weights[weight]);
            var error = actual.sub(expected).norm().item<float>() / expected.norm().item<float>();
            Assert.InRange(error, 0, tolerance);
        }

        Assert.Equal(name[0] == 'Q', ModelFolder.FindRounding(FilePath) is not null);
    }

    [Fact]
    public void Codes_of_four_bits_are_taken_over()
    {
        using var scope = NewDisposeScope();
        using var written = Save(CreateConfig("llama"));
        Export(_folder.At("model"), GgufType.Q4_0);
        using var exact = CausalLm.Load(FilePath, ScalarType.Float32);
        using var packed = CausalLm.Load(FilePath);
        Assert.Equal(QuantizedDtype.Q4, packed.Quantization);
        foreach (var layer in WeightLayout.ListLinearLayers(exact.Config))
        {
            var weight = exact.Weights[$"{layer.Name}.weight"];
            var matrix = packed.Weights.Quantized[$"{layer.Name}.weight"];
            Assert.Equal("q4", matrix.TypeName);
            var values = new float[matrix.Rows * matrix.Inputs];
            unsafe
            {
                fixed (float* to = values)
                {
                    matrix.Dequantize(0, matrix.Rows, to);
                }
            }

            // Scales in bf16 instead of half precision: 2^-9 of at most 8 steps.
            var difference = tensor(values).view(weight.shape).sub(weight).abs().max().item<float>();
            Assert.InRange(difference, 0, weight.abs().max().item<float>() / 256);
        }
    }

    [Fact]
    public void What_has_more_bits_than_four_keeps_them_unless_four_are_asked_for()
    {
        using var scope = NewDisposeScope();
        using var written = Save(CreateConfig("llama"));
        Export(_folder.At("model"), GgufType.Q8_0);
        using var automatic = CausalLm.Load(FilePath);
        using var four = CausalLm.LoadQuantized(FilePath, QuantizedDtype.Q4);
        Assert.Equal(QuantizedDtype.Int8, automatic.Quantization);
        Assert.Equal("q4", four.Weights.Quantized["model.layers.0.mlp.up_proj.weight"].TypeName);
        Assert.Equal("int8", four.Weights.Quantized[WeightLayout.Head].TypeName);
    }

    [Fact]
    public void Numbers_of_our_types_stay_in_the_mapped_file()
    {
        using var scope = NewDisposeScope();
        using var written = Save(CreateConfig("qwen2"));
        Export(_folder.At("model"), GgufType.Bf16);
        var before = CoPe.Modeling.Safetensors.MappedFile.OpenCount;
        using (var read = CausalLm.Load(FilePath))
        {
            Assert.Equal(ScalarType.BFloat16, read.Dtype);
            Assert.Equal(before + 1, CoPe.Modeling.Safetensors.MappedFile.OpenCount);
        }

        Assert.Equal(before, CoPe.Modeling.Safetensors.MappedFile.OpenCount);
    }

    [Theory]
    [InlineData("llama.block_count", 3u)]
    [InlineData("llama.embedding_length", 128u)]
    [InlineData("llama.attention.key_length", 16u)]
    [InlineData("llama.expert_count", 8u)]
    [InlineData("llama.something_new", 1u)]
    [InlineData("general.architecture", "mamba")]
    [InlineData("general.type", "mmproj")]
    [InlineData("llama.rope.scaling.type", "longrope")]
    public void A_model_that_is_not_computed_or_does_not_fit_its_tensors_is_refused(string key, object value)
    {
        using var written = Save(CreateConfig("llama"));
        Export(_folder.At("model"), GgufType.F32);
        Rewrite(key, value);
        var error = Assert.Throws<ModelFileException>(() => CausalLm.Load(FilePath));
        Assert.Equal(FilePath, error.File);
    }

    [Fact]
    public void A_missing_tensor_is_named()
    {
        using var written = Save(CreateConfig("llama"));
        Export(_folder.At("model"), GgufType.F32);
        Rewrite("general.name", "x", withoutTensor: "blk.1.ffn_up.weight");
        var error = Assert.Throws<ModelFileException>(() => CausalLm.Load(FilePath));
        Assert.Equal("model.layers.1.mlp.up_proj.weight", error.Part);
    }

    [Theory]
    [InlineData("mistral", "sliding_window")]
    [InlineData("granite", "model_type")]
    [InlineData("qwen2", "head_dim")]
    public void What_llama_cpp_does_not_compute_is_not_written(string type, string part)
    {
        var config = TinyModels.Plain with
        {
            ModelType = type,
            SlidingWindow = type == "mistral" ? 3 : null,
            SlidingLayers = [true, true],
        };
        var error = Assert.Throws<ModelFileException>(() => GgufConfigWriter.FindArchitecture("x", config));
        Assert.Equal(part, error.Part);
    }

    CausalLm Save(DecoderConfig config)
    {
        var model = TinyModels.Random(config);
        Directory.CreateDirectory(_folder.At("model"));
        ModelFolder.Save(_folder.At("model"), config, model.Weights, ScalarType.Float32);
        return model;
    }

    /// <summary>Writes a model with the first tokens of a tokenizer, as many as it has rows.</summary>
    void Export(string model, GgufType type)
    {
        var folder = _folder.At("with-tokenizer");
        Directory.CreateDirectory(folder);
        foreach (var file in Directory.EnumerateFiles(model))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)), overwrite: true);
        }

        var tokenizer = Path.Combine(TokenizerFolders.Tiny("qwen"), "tokenizer.json");
        File.Copy(tokenizer, Path.Combine(folder, "tokenizer.json"), overwrite: true);
        GgufExport.WriteModel(folder, [], FilePath, type, "test");
    }

    /// <summary>The same file with a key changed or added, or a tensor left out.</summary>
    void Rewrite(string key, object value, string? withoutTensor = null)
    {
        var file = GgufFile.Open(FilePath);
        var bytes = File.ReadAllBytes(FilePath);
        var metadata = file
            .Keys.Where(name => name != key && !name.StartsWith("tokenizer.", StringComparison.Ordinal))
            .Select(name => new KeyValuePair<string, object>(name, GetValue(file, name)))
            .Append(new(key, value));
        var tensors = file
            .Tensors.Where(tensor => tensor.Name != withoutTensor)
            .Select(tensor => new GgufTensorSource(
                tensor.Name,
                tensor.Type,
                tensor.Shape,
                stream => stream.Write(bytes.AsSpan((int)tensor.Offset, (int)tensor.Bytes))
            ));
        GgufWriter.Write(FilePath, [.. metadata], [.. tensors]);
    }

    static object GetValue(GgufFile file, string key)
    {
        if (key.EndsWith("epsilon", StringComparison.Ordinal) || key.EndsWith("freq_base", StringComparison.Ordinal))
        {
            return (float)file.GetNumber(key)!;
        }

        return key.StartsWith("general.", StringComparison.Ordinal) && key != "general.file_type"
            ? file.GetString(key)!
            : (uint)file.GetInteger(key)!;
    }
}
