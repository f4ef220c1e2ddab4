using CoPe.Adapters;
using CoPe.Testing;
using static TorchSharp.torch;

namespace CoPe.Tests.Adapters;

[Collection("torch")]
public class AdapterDistanceTests
{
    static readonly LoraConfig Config = new() { Rank = 3, Alpha = 6 };

    static AdapterBank CreateTrained(params long[] seeds)
    {
        var bank = AdapterBank.Create(TinyModels.Plain, Config, seeds);
        using var noGrad = no_grad();
        using var generator = new Generator((ulong)seeds[0] + 100, CPU);
        foreach (var name in bank.LayerNames)
        {
            var b = bank.Pairs[name].B;
            using var random = randn(b.shape, generator: generator);
            b.copy_(random);
        }
        return bank;
    }

    /// <summary>The definition, with every product formed.</summary>
    static double ComputeByHand(AdapterBank before, AdapterBank after, int index)
    {
        double change = 0,
            size = 0;
        using var scope = NewDisposeScope();
        foreach (var name in before.LayerNames)
        {
            var was = Multiply(before.Pairs[name], index);
            change += (Multiply(after.Pairs[name], index) - was).pow(2).sum().item<double>();
            size += was.pow(2).sum().item<double>();
        }
        return Math.Sqrt(change / size);
    }

    static Tensor Multiply(LoraPair pair, int index) =>
        pair.B[index].to(ScalarType.Float64).matmul(pair.A[index].to(ScalarType.Float64));

    [Fact]
    public void The_change_is_that_of_the_products_relative_to_them()
    {
        using var before = CreateTrained(1, 2);
        using var after = CreateTrained(3, 4);
        var distances = AdapterDistance.ComputeRelative(before, after);
        for (var user = 0; user < 2; user++)
        {
            Assert.Equal(ComputeByHand(before, after, user), distances[user]!.Value, 10);
        }
    }

    [Fact]
    public void A_change_of_a_millionth_is_measured()
    {
        using var before = CreateTrained(1);
        using var after = before.Extract(0);
        using (no_grad())
        {
            foreach (var name in after.LayerNames)
            {
                after.Pairs[name].B.mul_(1 + 1e-6);
            }
        }
        Assert.Equal(
            ComputeByHand(before, after, 0),
            AdapterDistance.ComputeRelative(before, after).Single()!.Value,
            12
        );
        Assert.InRange(AdapterDistance.ComputeRelative(before, after).Single()!.Value, 5e-7, 2e-6);
    }

    [Fact]
    public void An_adapter_that_stays_has_moved_by_nothing_and_one_that_did_nothing_has_no_size()
    {
        using var before = CreateTrained(1);
        using var fresh = AdapterBank.Create(TinyModels.Plain, Config, [1]);
        Assert.Equal([0.0], AdapterDistance.ComputeRelative(before, before));
        Assert.Equal([null], AdapterDistance.ComputeRelative(fresh, before));
    }

    [Fact]
    public void No_tensor_is_left()
    {
        using var before = CreateTrained(1);
        using var after = CreateTrained(2);
        var count = TensorCount.AfterGarbageCollection();
        AdapterDistance.ComputeRelative(before, after);
        Assert.Equal(count, Tensor.TotalCount);
    }
}
