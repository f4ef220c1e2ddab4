using CoPe.Adapters;
using CoPe.Decoding;
using CoPe.Modeling;
using CoPe.Modeling.Safetensors;
using CoPe.Testing;
using static TorchSharp.torch;

namespace CoPe.Tests.Modeling;

[Collection("torch")]
public sealed class QuantizedModelTests : IDisposable
{
    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    static readonly DecoderConfig Tied = TinyModels.Plain with { HeadDim = 16 };

    CausalLm Load(string config, QuantizedDtype dtype)
    {
        using (
            var model = TinyModels.Random(
                config == "tied" ? Tied : Tied with { ModelType = "qwen2", QueryKeyValueBias = true, TiedHead = false }
            )
        )
        {
            ModelFolder.Save(_folder.Path, model.Config, model.Weights, ScalarType.BFloat16);
        }

        return CausalLm.LoadQuantized(_folder.Path, dtype);
    }

    [Theory]
    [InlineData("tied", QuantizedDtype.Int8, .05)]
    [InlineData("biases", QuantizedDtype.Int8, .05)]
    [InlineData("tied", QuantizedDtype.Q4, .3)]
    [InlineData("biases", QuantizedDtype.Q4, .3)]
    public void Logits_are_near_those_of_the_weights_before_rounding_and_not_the_same(
        string config,
        QuantizedDtype dtype,
        double tolerance
    )
    {
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        using var rounded = Load(config, dtype);
        using var exact = CausalLm.Load(_folder.Path, ScalarType.Float32);
        var ids = TinyModels.Ids(3, 7);
        var (near, far) = (TinyModels.Logits(rounded, ids), TinyModels.Logits(exact, ids));
        Assert.Equal(dtype, rounded.Quantization);
        Assert.Null(exact.Quantization);
        var difference = near.sub(far).norm().item<float>() / far.norm().item<float>();
        Assert.InRange(difference, 1e-5, tolerance);
    }

    [Theory]
    [InlineData("tied", QuantizedDtype.Int8, 1)]
    [InlineData("biases", QuantizedDtype.Int8, 3)]
    [InlineData("tied", QuantizedDtype.Q4, 2)]
    [InlineData("biases", QuantizedDtype.Q4, 4)]
    public void Steps_answer_a_request_the_same_alone_and_among_others(string config, QuantizedDtype dtype, int seed)
    {
        using var model = Load(config, dtype);
        using var task = TinyModels.Adapters(model.Config, 1);
        using var users = TinyModels.Adapters(model.Config, 3);
        var random = new Random(seed);
        DecodingRequest[] requests =
        [
            .. Enumerable
                .Range(0, 12)
                .Select(i => new DecodingRequest
                {
                    Id = $"{i}",
                    Prompt = [random.Next(40)], // a longer one would pass through torch's bf16 attention
                    Expert = AdapterSelection.TaskAndUser(i % 3),
                    Amateur = AdapterSelection.Task,
                    Options = new DecodingOptions { MaxNewTokens = 8 },
                }),
        ];
        DecodingEngine Engine() => new(model, task, users, [], new EngineOptions { Batches = 1 });
        var together = Engine().InOrder(requests);
        var alone = requests.SelectMany(request => Engine().InOrder([request]));
        Assert.Equal(
            alone.Select(result => string.Join(' ', result.Ids)),
            together.Select(result => string.Join(' ', result.Ids))
        );
    }

    [Theory]
    [InlineData(QuantizedDtype.Int8)]
    [InlineData(QuantizedDtype.Q4)]
    public void Only_what_is_looked_up_stays_in_the_mapped_file(QuantizedDtype dtype)
    {
        var before = MappedFile.OpenCount;
        using (var rounded = Load("tied", dtype))
        {
            Assert.Equal(before + 1, MappedFile.OpenCount);
            // All but the embedding.
            var expected = ModelInfo.Read(_folder.Path).QuantizedWeightBytes(dtype);
            Assert.Equal(expected, rounded.Weights.Bytes - 2 * 40 * 16);
            Assert.DoesNotContain(
                rounded.Weights.Names,
                name => name.EndsWith("_proj.weight", StringComparison.Ordinal)
            );
        }
        Assert.Equal(before, MappedFile.OpenCount);
    }

    [Theory]
    [InlineData(QuantizedDtype.Int8)]
    [InlineData(QuantizedDtype.Q4)]
    public void A_weight_that_is_not_finite_is_refused_by_file_and_tensor_and_leaks_nothing(QuantizedDtype dtype)
    {
        Load("tied", dtype).Dispose();
        var bytes = File.ReadAllBytes(_folder.At("model.safetensors"));
        var first = 8 + (int)BitConverter.ToInt64(bytes); // the embedding, which is also the head
        (bytes[first], bytes[first + 1]) = (0xC0, 0x7F); // NaN
        File.WriteAllBytes(_folder.At("model.safetensors"), bytes);
        var before = Tensor.TotalCount;
        var error = Assert.Throws<ModelFileException>(() => CausalLm.LoadQuantized(_folder.Path, dtype));
        Assert.Contains(
            "model.embed_tokens.weight holds a weight that is not finite",
            error.Message,
            StringComparison.Ordinal
        );
        Assert.Equal(before, Tensor.TotalCount);
    }

    [Theory]
    [InlineData(QuantizedDtype.Int8)]
    [InlineData(QuantizedDtype.Q4)]
    public void A_model_that_is_disposed_leaves_nothing(QuantizedDtype dtype)
    {
        Load("tied", dtype).Dispose();
        var before = Tensor.TotalCount;
        CausalLm.LoadQuantized(_folder.Path, dtype).Dispose();
        Assert.Equal(before, Tensor.TotalCount);
    }

    [Theory]
    [InlineData("tied", QuantizedDtype.Int8)]
    [InlineData("biases", QuantizedDtype.Q4)]
    public void A_folder_that_is_written_rounded_computes_the_same_bits(string config, QuantizedDtype dtype)
    {
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        using var rounded = Load(config, dtype);
        var written = _folder.At("rounded");
        ModelFolder.WriteQuantized(_folder.Path, written, dtype);

        using var model = CausalLm.Load(written);

        var ids = TinyModels.Ids(3, 7);
        Assert.Equal(dtype, model.Quantization);
        Assert.Equal(dtype, ModelInfo.Read(written).Rounded);
        Assert.True(TinyModels.Logits(model, ids).eq(TinyModels.Logits(rounded, ids)).all().item<bool>());
    }

    [Fact]
    public void A_rounded_folder_is_refused_in_another_type_and_neither_merged_into_nor_rounded_again()
    {
        var written = WriteRounded();
        Action[] actions =
        [
            () => CausalLm.Load(written, ScalarType.BFloat16).Dispose(),
            () => CausalLm.LoadQuantized(written, QuantizedDtype.Int8).Dispose(),
            () => ModelFolder.WriteQuantized(written, _folder.At("twice"), QuantizedDtype.Int8),
            () => AdapterMerge.WriteModelFolder(written, [], _folder.At("merged")),
        ];
        Assert.All(
            actions,
            action => Assert.Contains("is rounded to q4", Assert.Throws<ModelFileException>(action).Message)
        );
        Assert.Throws<ArgumentException>(() => ModelFolder.WriteQuantized(_folder.Path, written, QuantizedDtype.Q4));
    }

    [Theory]
    [InlineData(9)] // in the header
    [InlineData(5000)] // in the numbers
    public void A_rounded_file_that_is_cut_off_is_refused(int length)
    {
        var file = Path.Combine(WriteRounded(), "model.q4.safetensors");
        File.WriteAllBytes(file, File.ReadAllBytes(file)[..length]);
        var error = Assert.Throws<ModelFileException>(() => CausalLm.Load(Path.GetDirectoryName(file)!));
        Assert.StartsWith(file, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_rounded_file_of_another_model_is_refused_by_tensor()
    {
        var written = WriteRounded();
        var config = File.ReadAllText(Path.Combine(written, "config.json"));
        File.WriteAllText(
            Path.Combine(written, "config.json"),
            config.Replace("\"intermediate_size\": 24", "\"intermediate_size\": 56", StringComparison.Ordinal)
        );
        var error = Assert.Throws<ModelFileException>(() => CausalLm.Load(written));
        Assert.Contains("mlp.gate_proj.weight.q4", error.Message, StringComparison.Ordinal);
    }

    string WriteRounded()
    {
        Load("tied", QuantizedDtype.Q4).Dispose();
        var written = _folder.At("rounded");
        ModelFolder.WriteQuantized(_folder.Path, written, QuantizedDtype.Q4);
        return written;
    }
}
