using CoPe.Adapters;
using CoPe.Kernels;
using CoPe.Tests.Modeling;
using static TorchSharp.torch;

namespace CoPe.Tests.Adapters;

[Collection("torch")]
public class LoraDropoutTests
{
    static readonly LoraConfig Half = new() { Rank = 3, Alpha = 3, TargetModules = ["q_proj", "up_proj"], Dropout = 0.5 };

    [Fact]
    public void An_adapters_masks_depend_neither_on_its_neighbours_nor_on_padding()
    {
        using var scope = NewDisposeScope();
        using var model = TinyModels.Random(TinyModels.Plain);
        using var bank = TinyModels.Adapters(model.Config, 2, Half);
        using var second = bank.Extract(1);
        var ids = TinyModels.Ids(4, 7);
        using var together = AdapterRows.Of(bank, [0, 0, 1, 1]).WithDropout([1, 2, 3, 4]);
        using var alone = AdapterRows.All(second).WithDropout([3, 4]);
        TinyModels.AssertClose(TinyModels.Logits(model, ids.narrow(0, 2, 2).narrow(1, 0, 5), alone), TinyModels.Logits(model, ids, together).narrow(0, 2, 2).narrow(1, 0, 5));
    }

    [Fact]
    public void Seeds_drop_differently_and_the_same_seed_drops_the_same()
    {
        using var scope = NewDisposeScope();
        using var model = TinyModels.Random(TinyModels.Plain);
        using var bank = TinyModels.Adapters(model.Config, 1, Half);
        var ids = TinyModels.Ids(1, 5);
        using AdapterRows first = AdapterRows.All(bank).WithDropout([1]), same = AdapterRows.All(bank).WithDropout([1]), other = AdapterRows.All(bank).WithDropout([2]);
        var (x, y, z) = (TinyModels.Logits(model, ids, first), TinyModels.Logits(model, ids, same), TinyModels.Logits(model, ids, other));
        TinyModels.AssertClose(x, y, 0);
        Assert.True(GoldenTensors.Difference(y, z) > 0.01);
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    [InlineData(ScalarType.Float16)]
    public void A_mask_drops_its_share_of_every_row_position_and_column(ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        var mask = DropoutMask.Make([1, 2, 3, 4, 5, 6, 7, 8], 512, 45, 0.25, zeros(1, dtype: dtype)).to(ScalarType.Float32); // 45: both the vectors and what is left over
        Assert.Equal([0f, 4f / 3], mask.unique().output.data<float>().ToArray(), (x, y) => Math.Abs(x - y) < 0.01);
        var dropped = mask.eq(0).to(ScalarType.Float32); // standard deviation of a mean over n: sqrt(.25 * .75 / n)
        Assert.InRange((dropped.mean() - 0.25).abs().item<float>(), 0, 5 * 0.433 / Math.Sqrt(8 * 512 * 45));
        Assert.InRange((dropped.mean([0, 1]) - 0.25).abs().max().item<float>(), 0, 5 * 0.433 / Math.Sqrt(8 * 512));
        Assert.InRange((dropped.mean([0, 2]) - 0.25).abs().max().item<float>(), 0, 5 * 0.433 / Math.Sqrt(8 * 45));
        Assert.InRange((dropped.mean([1, 2]) - 0.25).abs().max().item<float>(), 0, 5 * 0.433 / Math.Sqrt(512 * 45));
        var neighbours = (dropped.narrow(2, 1, 44) * dropped.narrow(2, 0, 44)).mean().item<float>(); // independent: 1 / 16
        Assert.Equal(0.0625, neighbours, 0.005);
    }
}
