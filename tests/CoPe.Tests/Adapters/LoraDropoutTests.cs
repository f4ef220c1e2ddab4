using CoPe.Adapters;
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
        using Generator a = new(1, CPU), b = new(2, CPU), again = new(2, CPU);
        using var together = AdapterRows.Of(bank, [0, 0, 1, 1]).WithDropout([a, b]);
        using var alone = AdapterRows.All(second).WithDropout([again]);
        for (var step = 0; step < 2; step++)
            TinyModels.AssertClose(TinyModels.Logits(model, ids.narrow(0, 2, 2).narrow(1, 0, 5), alone), TinyModels.Logits(model, ids, together).narrow(0, 2, 2).narrow(1, 0, 5));
    }

    [Fact]
    public void Passes_drop_differently_and_the_same_seed_drops_the_same()
    {
        using var scope = NewDisposeScope();
        using var model = TinyModels.Random(TinyModels.Plain);
        using var bank = TinyModels.Adapters(model.Config, 1, Half);
        var ids = TinyModels.Ids(1, 5);
        using Generator one = new(1, CPU), same = new(1, CPU);
        using AdapterRows first = AdapterRows.All(bank).WithDropout([one]), second = AdapterRows.All(bank).WithDropout([same]);
        var (x, y, z) = (TinyModels.Logits(model, ids, first), TinyModels.Logits(model, ids, second), TinyModels.Logits(model, ids, second));
        TinyModels.AssertClose(x, y, 0);
        Assert.True(GoldenTensors.Difference(y, z) > 0.01);
    }

    [Fact]
    public void Masks_keep_the_mean_of_the_input()
    {
        using var scope = NewDisposeScope();
        using var bank = TinyModels.Adapters(TinyModels.Plain, 1, Half);
        using var generator = new Generator(1, CPU);
        var assignment = new AdapterAssignment(bank, 0).WithDropout([generator]);
        var dropped = LoraDropout.Begin(assignment, 8)!.Apply(ones([8, 100, 16]), bank.LayerNames[0]);
        Assert.Equal(1f, dropped.mean().item<float>(), 0.05f);
        Assert.Equal(2f, dropped.max().item<float>());
    }
}
