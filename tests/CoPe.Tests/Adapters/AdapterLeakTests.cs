using CoPe.Adapters;
using CoPe.Kernels.Torch;
using CoPe.Modeling;
using CoPe.Testing;
using static TorchSharp.torch;

namespace CoPe.Tests.Adapters;

/// <summary>What fails half-way leaves no tensor behind.</summary>
[Collection("torch")]
public class AdapterLeakTests
{
    static readonly DecoderConfig Model = TinyModels.Plain;

    [Fact]
    public void Stacking_that_fails_in_a_later_layer_leaks_nothing()
    {
        using var first = TinyModels.Adapters(Model, 1);
        using var broken = TinyModels.Adapters(Model, 1);
        broken.Pairs[broken.LayerNames[^1]].B.Dispose();

        AssertFailsWithoutLeak(() => _ = AdapterBank.Stack([first, broken]));
    }

    [Fact]
    public void Extracting_that_fails_in_a_later_layer_leaks_nothing()
    {
        using var broken = TinyModels.Adapters(Model, 2);
        broken.Pairs[broken.LayerNames[^1]].A.Dispose();

        AssertFailsWithoutLeak(() => _ = broken.Extract(1));
    }

    [Fact]
    public void Moving_to_a_device_that_fails_in_a_later_layer_leaks_nothing()
    {
        var before = TensorCount.AfterGarbageCollection();
        var broken = TinyModels.Adapters(Model, 2);
        broken.Pairs[broken.LayerNames[^1]].B.Dispose();

        Assert.ThrowsAny<Exception>(() => broken.MoveTo(META));

        Assert.Equal(before, Tensor.TotalCount);
    }

    [Fact]
    public void Merging_an_adapter_of_a_deeper_model_leaks_nothing_and_merges_nothing()
    {
        using var model = TinyModels.Random(Model);
        using var adapter = TinyModels.Adapters(Model with { LayerCount = 3 }, 1);
        using var original = model.Weights["model.layers.0.self_attn.q_proj.weight"].clone();

        AssertFailsWithoutLeak(() => AdapterMerge.MergeInto(model, adapter));

        Assert.True(model.Weights["model.layers.0.self_attn.q_proj.weight"].Equals(original));
    }

    [Fact]
    public void Reading_an_adapter_of_another_model_leaks_nothing()
    {
        using var folder = new TemporaryFolder();
        using (var adapter = TinyModels.Adapters(Model, 1))
        {
            AdapterFile.Write(folder.Path, adapter, 0, "base");
        }

        AssertFailsWithoutLeak(() => _ = AdapterFile.Read(folder.Path, Model with { LayerCount = 1 }));
    }

    [Fact]
    public void Reading_adapters_of_which_the_last_has_another_rank_leaks_nothing()
    {
        using var folder = new TemporaryFolder();
        List<string> folders = [folder.At("first"), folder.At("wider")];
        foreach (var (rank, path) in folders.Index())
        {
            using var adapter = TinyModels.Adapters(Model, 1, new LoraConfig { Rank = 2 + rank });
            AdapterFile.Write(Directory.CreateDirectory(path).FullName, adapter, 0, "base");
        }

        AssertFailsWithoutLeak(() => _ = AdapterFile.ReadAll(folders, Model));
    }

    [Fact]
    public void A_dropout_mask_of_a_type_without_dropout_leaks_nothing()
    {
        using var like = zeros(1, dtype: ScalarType.Int64);

        AssertFailsWithoutLeak(() => _ = DropoutMask.Create([1UL], 2, 3, 0.5, like));
    }

    static void AssertFailsWithoutLeak(Action action)
    {
        var before = TensorCount.AfterGarbageCollection();
        Assert.ThrowsAny<Exception>(action);
        Assert.Equal(before, Tensor.TotalCount);
    }
}
