using CoPe.Adapters;
using CoPe.Modeling;
using CoPe.Tests.Modeling;
using static TorchSharp.torch;

namespace CoPe.Tests.Adapters;

[Collection("torch")]
public class AdapterRowsTests
{
    [Theory]
    [InlineData(0, 0, 1, 1, 2, 2)] // even groups, every adapter
    [InlineData(2, 2, 2, 0, 0, 0)] // even groups, some adapters
    [InlineData(0, 1, 2, 0, 1, 2)]
    [InlineData(0, 1, 2, -1, -1, -1)] // experts, then amateurs
    [InlineData(-1, 1, -1, 1, 2, -1)]
    [InlineData(1, 1, 1, 1, 1, 1)]
    [InlineData(-1, -1, -1, -1, -1, -1)]
    public void Rows_of_a_bank_equal_separate_passes(params int[] indices)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = TinyModels.Random(TinyModels.Plain);
        using var bank = TinyModels.Adapters(model.Config, 3);
        var ids = TinyModels.Ids(6, 5);
        using var rows = AdapterRows.Of(bank, indices);
        var together = TinyModels.Logits(model, ids, rows);
        for (var row = 0; row < 6; row++)
        {
            using var alone = indices[row] < 0 ? null : bank.Extract(indices[row]);
            using var worn = alone is null ? null : AdapterRows.All(alone);
            TinyModels.AssertClose(TinyModels.Logits(model, ids.narrow(0, row, 1), worn), together.narrow(0, row, 1));
        }
    }

    [Fact]
    public void A_row_without_adapters_is_the_base()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = TinyModels.Random(TinyModels.Plain);
        using var bank = TinyModels.Adapters(model.Config, 1);
        var ids = TinyModels.Ids(4, 5);
        using var rows = AdapterRows.Of(bank, [0, -1, 0, -1]);
        var (worn, bare) = (TinyModels.Logits(model, ids, rows), TinyModels.Logits(model, ids));
        TinyModels.AssertClose(bare[1], worn[1], 1e-6);
        TinyModels.AssertClose(bare[3], worn[3], 1e-6);
        Assert.True(GoldenTensors.Difference(bare[0], worn[0]) > 0.1);
    }

    [Fact]
    public void Stacked_adapters_add_their_terms()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var one = TinyModels.Plain with { LayerCount = 1 };
        using var model = TinyModels.Random(one);
        using var task = TinyModels.Adapters(one, 1, new LoraConfig { Rank = 2, Alpha = 2, TargetModules = ["down_proj"], Dropout = 0 });
        using var user = TinyModels.Adapters(one, 2, new LoraConfig { Rank = 4, Alpha = 2, TargetModules = ["down_proj"], Dropout = 0 });
        var ids = TinyModels.Ids(2, 4);
        using var stack = AdapterRows.All(task).With(AdapterRows.Of(user, [-1, 1]));
        var stacked = Hidden(model, ids, stack);
        using var justTask = AdapterRows.All(task);
        TinyModels.AssertClose(Hidden(model, ids, justTask)[0], stacked[0]);

        // Merging the task's adapter into the weights and wearing the user's alone gives the same.
        AdapterMerge.MergeInto(model.Weights, task);
        using var justUser = AdapterRows.Of(user, [-1, 1]);
        TinyModels.AssertClose(Hidden(model, ids, justUser), stacked);
    }

    static Tensor Hidden(CausalLm model, Tensor ids, AdapterRows rows)
    {
        using var batch = new TokenBatch(ids.clone());
        return model.Forward(batch, rows);
    }

    [Fact]
    public void Factors_changed_after_a_pass_count_in_the_next()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = TinyModels.Random(TinyModels.Plain);
        using var bank = TinyModels.Adapters(model.Config, 1);
        using var other = AdapterBank.Create(model.Config, bank.Config, [99]);
        using var rows = AdapterRows.All(bank);
        var ids = TinyModels.Ids(1, 4);
        TinyModels.Logits(model, ids, rows);
        bank.CopyFrom(other); // B is zero: the base again
        TinyModels.AssertClose(TinyModels.Logits(model, ids), TinyModels.Logits(model, ids, rows), 1e-6);
    }

    [Fact]
    public void Another_number_of_rows_or_an_unknown_adapter_is_refused()
    {
        using var scope = NewDisposeScope();
        using var model = TinyModels.Random(TinyModels.Plain);
        using var bank = TinyModels.Adapters(model.Config, 2);
        using var rows = AdapterRows.Of(bank, [0, 1, 0]);
        Assert.Throws<ArgumentException>(() => TinyModels.Logits(model, TinyModels.Ids(2, 4), rows));
        Assert.Throws<ArgumentOutOfRangeException>(() => AdapterRows.Of(bank, [0, 2]));
        Assert.Throws<ArgumentOutOfRangeException>(() => AdapterRows.All(bank, 2));
    }
}
