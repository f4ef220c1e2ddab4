using CoPe.Adapters;
using CoPe.Decoding;
using CoPe.Modeling;
using CoPe.Modeling.Safetensors;
using CoPe.Testing;
using static TorchSharp.torch;

namespace CoPe.Tests.Modeling;

[Collection("torch")]
public sealed class Int8ModelTests : IDisposable
{
    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    static readonly DecoderConfig Tied = TinyModels.Plain with { HeadDim = 16 };

    CausalLm Load(string config)
    {
        using (
            var model = TinyModels.Random(
                config == "tied" ? Tied : Tied with { ModelType = "qwen2", QueryKeyValueBias = true, TiedHead = false }
            )
        )
        {
            ModelFolder.Save(_folder.Path, model.Config, model.Weights, ScalarType.BFloat16);
        }

        return CausalLm.LoadQuantized(_folder.Path, QuantizedDtype.Int8);
    }

    [Theory]
    [InlineData("tied")]
    [InlineData("biases")]
    public void Logits_are_near_those_of_the_weights_before_rounding_and_not_the_same(string config)
    {
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        using var rounded = Load(config);
        using var exact = CausalLm.Load(_folder.Path, ScalarType.Float32);
        var ids = TinyModels.Ids(3, 7);
        var (near, far) = (TinyModels.Logits(rounded, ids), TinyModels.Logits(exact, ids));
        Assert.True(rounded.Quantization is QuantizedDtype.Int8);
        Assert.False(exact.Quantization is not null);
        var difference = near.sub(far).norm().item<float>() / far.norm().item<float>();
        Assert.InRange(difference, 1e-5f, 0.05f);
    }

    [Theory]
    [InlineData("tied", 1)]
    [InlineData("tied", 2)]
    [InlineData("biases", 3)]
    [InlineData("biases", 4)]
    public void Steps_answer_a_request_the_same_alone_and_among_others(string config, int seed)
    {
        using var model = Load(config);
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

    [Fact]
    public void Only_what_is_looked_up_stays_in_the_mapped_file()
    {
        var before = MappedFile.OpenCount;
        using (var rounded = Load("tied"))
        {
            Assert.Equal(before + 1, MappedFile.OpenCount);
            // All but the embedding.
            Assert.Equal(ModelInfo.Read(_folder.Path).QuantizedWeightBytes(QuantizedDtype.Int8), rounded.Weights.Bytes - 2 * 40 * 16);
            Assert.DoesNotContain(
                rounded.Weights.Names,
                name => name.EndsWith("_proj.weight", StringComparison.Ordinal)
            );
        }
        Assert.Equal(before, MappedFile.OpenCount);
    }

    [Fact]
    public void A_weight_that_is_not_finite_is_refused_by_file_and_tensor_and_leaks_nothing()
    {
        Load("tied").Dispose();
        var bytes = File.ReadAllBytes(_folder.At("model.safetensors"));
        var first = 8 + (int)BitConverter.ToInt64(bytes); // the embedding, which is also the head
        (bytes[first], bytes[first + 1]) = (0xC0, 0x7F); // NaN
        File.WriteAllBytes(_folder.At("model.safetensors"), bytes);
        var before = Tensor.TotalCount;
        var error = Assert.Throws<ModelFileException>(() => CausalLm.LoadQuantized(_folder.Path, QuantizedDtype.Int8));
        Assert.Contains(
            "model.embed_tokens.weight holds a weight that is not finite",
            error.Message,
            StringComparison.Ordinal
        );
        Assert.Equal(before, Tensor.TotalCount);
    }

    [Fact]
    public void A_model_that_is_disposed_leaves_nothing()
    {
        Load("tied").Dispose();
        var before = Tensor.TotalCount;
        CausalLm.LoadQuantized(_folder.Path, QuantizedDtype.Int8).Dispose();
        Assert.Equal(before, Tensor.TotalCount);
    }

    [Fact]
    public void Gradients_are_refused()
    {
        using var scope = NewDisposeScope();
        using var model = Load("tied");
        var hidden = ones([1, 16], dtype: ScalarType.BFloat16).requires_grad_();
        Assert.Contains(
            "Load the model in bf16 or fp32 to train",
            Assert.Throws<InvalidOperationException>(() => model.ComputeLogits(hidden)).Message,
            StringComparison.Ordinal
        );
    }
}
