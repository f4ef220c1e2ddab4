using CoPe.Modeling;
using CoPe.Testing;
using static TorchSharp.torch;

namespace CoPe.Tests.Modeling;

[Collection("torch")]
public sealed class RoundedWeightsCacheTests : IDisposable
{
    static readonly DecoderConfig Config = TinyModels.Plain with { HeadDim = 16 };

    readonly TemporaryFolder _folder = new();

    string Model => _folder.At("model");

    string Cache => _folder.At("cache");

    public RoundedWeightsCacheTests()
    {
        Directory.CreateDirectory(Model);
        WriteModel(factor: 1);
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(QuantizedDtype.Int8)]
    [InlineData(QuantizedDtype.Q4)]
    public void The_second_opening_reads_what_the_first_one_kept(QuantizedDtype dtype)
    {
        var without = ComputeLogits(CausalLm.LoadQuantized(Model, dtype));

        Assert.Equal(without, Open(dtype));
        var kept = Assert.Single(Directory.GetFiles(Cache));
        var written = File.GetLastWriteTimeUtc(kept);
        Assert.Equal(without, Open(dtype));

        Assert.Equal(written, File.GetLastWriteTimeUtc(Assert.Single(Directory.GetFiles(Cache))));
    }

    [Fact]
    public void Both_types_of_one_model_are_kept()
    {
        Open(QuantizedDtype.Int8);
        Open(QuantizedDtype.Q4);

        Assert.Equal(2, Directory.GetFiles(Cache).Length);
    }

    [Fact]
    public void A_model_that_has_changed_is_rounded_again_and_the_former_file_is_gone()
    {
        var before = Open(QuantizedDtype.Q4);
        var former = Assert.Single(Directory.GetFiles(Cache));
        WriteModel(factor: 2);
        File.SetLastWriteTimeUtc(Path.Combine(Model, "model.safetensors"), DateTime.UnixEpoch.AddDays(1));

        var after = Open(QuantizedDtype.Q4);

        Assert.NotEqual(before, after);
        Assert.Equal(ComputeLogits(CausalLm.LoadQuantized(Model, QuantizedDtype.Q4)), after);
        Assert.NotEqual(former, Assert.Single(Directory.GetFiles(Cache)));
    }

    [Fact]
    public void A_damaged_file_is_written_again()
    {
        var right = Open(QuantizedDtype.Q4);
        var kept = Assert.Single(Directory.GetFiles(Cache));
        var size = new FileInfo(kept).Length;
        using (var file = File.OpenWrite(kept))
        {
            file.SetLength(size / 2);
        }

        Assert.Equal(right, Open(QuantizedDtype.Q4));
        Assert.Equal(size, new FileInfo(kept).Length);
    }

    [Fact]
    public void Where_nothing_can_be_kept_the_model_opens_and_says_why()
    {
        File.WriteAllText(Cache, "a file where the folder should be");
        var warnings = new List<string>();

        using var model = CausalLm.LoadQuantized(
            Model,
            QuantizedDtype.Q4,
            new RoundedWeightsCache(Cache, minBytes: 0),
            warnings.Add
        );

        Assert.Equal(QuantizedDtype.Q4, model.Quantization);
        Assert.Contains(Cache, Assert.Single(warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void A_small_model_is_not_kept()
    {
        CausalLm.LoadQuantized(Model, QuantizedDtype.Q4, new RoundedWeightsCache(Cache), warn: null).Dispose();

        Assert.False(Directory.Exists(Cache));
    }

    void WriteModel(double factor)
    {
        using var model = TinyModels.Random(Config);
        using (no_grad())
        {
            foreach (var name in model.Weights.Names)
            {
                model.Weights[name].mul_(factor);
            }
        }

        ModelFolder.Save(Model, model.Config, model.Weights, ScalarType.BFloat16);
    }

    float[] Open(QuantizedDtype dtype) =>
        ComputeLogits(
            CausalLm.LoadQuantized(Model, dtype, new RoundedWeightsCache(Cache, minBytes: 0), _ => Assert.Fail())
        );

    static float[] ComputeLogits(CausalLm loaded)
    {
        using var model = loaded;
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        return TinyModels.Logits(model, TinyModels.Ids(3, 7)).data<float>().ToArray();
    }
}
