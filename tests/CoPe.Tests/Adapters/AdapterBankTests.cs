using CoPe.Adapters;
using CoPe.Testing;
using static TorchSharp.torch;

namespace CoPe.Tests.Adapters;

[Collection("torch")]
public class AdapterBankTests
{
    static readonly LoraConfig Config = new() { Rank = 4, Alpha = 8 };

    [Fact]
    public void A_new_adapter_depends_on_its_own_seed_alone()
    {
        using var both = AdapterBank.Create(TinyModels.Plain, Config, [1, 2]);
        using var alone = AdapterBank.Create(TinyModels.Plain, Config, [2]);
        using var second = both.Extract(1);
        using var first = both.Extract(0);
        Assert.All(
            alone.Parameters().Zip(second.Parameters()),
            pair => Assert.True(pair.First.equal(pair.Second).all().item<bool>())
        );
        Assert.False(first.Parameters()[0].equal(second.Parameters()[0]).all().item<bool>());
    }

    [Fact]
    public void A_new_adapter_has_uniform_A_and_zero_B()
    {
        using var scope = NewDisposeScope();
        using var bank = AdapterBank.Create(TinyModels.Plain, Config, [1]);
        Assert.Equal(
            [
                "model.layers.0.self_attn.q_proj",
                "model.layers.0.self_attn.v_proj",
                "model.layers.1.self_attn.q_proj",
                "model.layers.1.self_attn.v_proj",
            ],
            bank.LayerNames
        );
        foreach (var pair in bank.Pairs.Values)
        {
            Assert.Equal([1, 4, 16], pair.A.shape);
            Assert.InRange(pair.A.abs().max().item<float>(), 0.2f, 0.25f); // 1 / sqrt(16)
            Assert.Equal(0f, pair.B.abs().max().item<float>());
        }
    }

    [Fact]
    public void Leaves_stay_leaves_when_overwritten()
    {
        using var bank = AdapterBank.Create(TinyModels.Plain, Config, [1]);
        using var other = AdapterBank.Create(TinyModels.Plain, Config, [2]);
        bank.RequireGrad(true);
        bank.CopyFrom(other);
        Assert.All(
            bank.Parameters().Zip(other.Parameters()),
            pair =>
            {
                Assert.True(pair.First.is_leaf && pair.First.requires_grad);
                Assert.True(pair.First.equal(pair.Second).all().item<bool>());
            }
        );
    }

    [Fact]
    public void Adapters_of_different_shapes_do_not_stack()
    {
        using var bank = AdapterBank.Create(TinyModels.Plain, Config, [1]);
        using var wider = AdapterBank.Create(TinyModels.Plain, Config with { Rank = 5 }, [1]);
        Assert.Throws<ArgumentException>(() => AdapterBank.Stack([bank, wider]));
        Assert.Throws<ArgumentException>(() => bank.CopyFrom(wider));
    }

    [Fact]
    public void A_rank_above_a_side_of_an_adapted_matrix_is_refused_with_module_rank_and_side()
    {
        LoraConfig widest = new() { Rank = 12, TargetModules = ["q_proj", "k_proj", "down_proj"] };
        widest.CheckFits(TinyModels.Plain); // k_proj has 12 outputs, the others more

        var error = Assert.Throws<ArgumentException>(() =>
            AdapterBank.Create(TinyModels.Plain, widest with { Rank = 13 }, [1])
        );

        Assert.Contains(
            "rank 13 is above the smaller side 12 of k_proj (12 x 16)",
            error.Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_target_that_names_no_layer_is_refused() =>
        Assert.Contains(
            "query_proj",
            Assert
                .Throws<ArgumentException>(() =>
                    AdapterBank.Create(TinyModels.Plain, Config with { TargetModules = ["query_proj"] }, [1])
                )
                .Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void Making_and_freeing_banks_leaves_no_tensor_behind()
    {
        var before = TensorCount.AfterGarbageCollection();
        using (var bank = AdapterBank.Create(TinyModels.Plain, Config, [1, 2]))
        using (bank.Extract(0)) { }
        Assert.Equal(before, Tensor.TotalCount);
    }
}
