using CoPe.Adapters;
using CoPe.Kernels.Torch;
using CoPe.Modeling;
using CoPe.Testing;
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
        using var rows = AdapterRows.ForRows(bank, indices);
        var together = TinyModels.Logits(model, ids, rows);
        for (var row = 0; row < 6; row++)
        {
            using var alone = indices[row] < 0 ? null : bank.Extract(indices[row]);
            using var selected = alone is null ? null : AdapterRows.All(alone);
            TinyModels.AssertClose(
                TinyModels.Logits(model, ids.narrow(0, row, 1), selected),
                together.narrow(0, row, 1)
            );
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Rows_compute_the_same_bits_however_many_adapters_the_bank_holds_beside_theirs(bool withGradients)
    {
        using var scope = NewDisposeScope();
        using var mode = set_grad_enabled(withGradients);
        using var model = TinyModels.Random(TinyModels.Plain);
        using var many = TinyModels.Adapters(model.Config, 5);
        using var fourth = many.Extract(3);
        using var second = many.Extract(1);
        using var few = AdapterBank.Stack([fourth, second]);
        var ids = TinyModels.Ids(4, 5);
        using var rowsOfMany = AdapterRows.ForRows(many, [3, -1, 1, 3]);
        using var rowsOfFew = AdapterRows.ForRows(few, [0, -1, 1, 0]);

        var (expected, found) = (TinyModels.Logits(model, ids, rowsOfMany), TinyModels.Logits(model, ids, rowsOfFew));

        Assert.True(expected.equal(found).all().item<bool>());
    }

    [Fact]
    public void A_row_without_adapters_is_the_base()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = TinyModels.Random(TinyModels.Plain);
        using var bank = TinyModels.Adapters(model.Config, 1);
        var ids = TinyModels.Ids(4, 5);
        using var rows = AdapterRows.ForRows(bank, [0, -1, 0, -1]);
        var (selected, bare) = (TinyModels.Logits(model, ids, rows), TinyModels.Logits(model, ids));
        TinyModels.AssertClose(bare[1], selected[1], 1e-6);
        TinyModels.AssertClose(bare[3], selected[3], 1e-6);
        Assert.True(GoldenTensors.Difference(bare[0], selected[0]) > 0.1);
    }

    [Fact]
    public void Stacked_adapters_add_their_terms()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var one = TinyModels.Plain with { LayerCount = 1 };
        using var model = TinyModels.Random(one);
        using var task = TinyModels.Adapters(
            one,
            1,
            new LoraConfig
            {
                Rank = 2,
                Alpha = 2,
                TargetModules = ["down_proj"],
                Dropout = 0,
            }
        );
        using var user = TinyModels.Adapters(
            one,
            2,
            new LoraConfig
            {
                Rank = 4,
                Alpha = 2,
                TargetModules = ["down_proj"],
                Dropout = 0,
            }
        );
        var ids = TinyModels.Ids(2, 4);
        using var stack = AdapterRows.All(task).With(AdapterRows.ForRows(user, [-1, 1]));
        var stacked = Hidden(model, ids, stack);
        using var justTask = AdapterRows.All(task);
        TinyModels.AssertClose(Hidden(model, ids, justTask)[0], stacked[0]);

        // Merging the task's adapter into the weights and selecting the user's alone gives the same.
        AdapterMerge.MergeInto(model, task);
        using var justUser = AdapterRows.ForRows(user, [-1, 1]);
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
        using var rows = AdapterRows.ForRows(bank, [0, 1, 0]);
        Assert.Throws<ArgumentException>(() => TinyModels.Logits(model, TinyModels.Ids(2, 4), rows));
        Assert.Throws<ArgumentOutOfRangeException>(() => AdapterRows.ForRows(bank, [0, 2]));
        Assert.Throws<ArgumentOutOfRangeException>(() => AdapterRows.All(bank, 2));
    }
}

[Collection("torch")]
public class LoraDropoutTests
{
    static readonly LoraConfig Half = new()
    {
        Rank = 3,
        Alpha = 3,
        TargetModules = ["q_proj", "up_proj"],
        Dropout = 0.5,
    };

    [Fact]
    public void An_adapters_masks_depend_neither_on_its_neighbors_nor_on_padding()
    {
        using var scope = NewDisposeScope();
        using var model = TinyModels.Random(TinyModels.Plain);
        using var bank = TinyModels.Adapters(model.Config, 2, Half);
        using var second = bank.Extract(1);
        var ids = TinyModels.Ids(4, 7);
        using var together = AdapterRows.ForRows(bank, [0, 0, 1, 1]).WithDropout([1, 2, 3, 4]);
        using var alone = AdapterRows.All(second).WithDropout([3, 4]);
        TinyModels.AssertClose(
            TinyModels.Logits(model, ids.narrow(0, 2, 2).narrow(1, 0, 5), alone),
            TinyModels.Logits(model, ids, together).narrow(0, 2, 2).narrow(1, 0, 5)
        );
    }

    [Fact]
    public void Seeds_drop_differently_and_the_same_seed_drops_the_same()
    {
        using var scope = NewDisposeScope();
        using var model = TinyModels.Random(TinyModels.Plain);
        using var bank = TinyModels.Adapters(model.Config, 1, Half);
        var ids = TinyModels.Ids(1, 5);
        using AdapterRows first = AdapterRows.All(bank).WithDropout([1]),
            same = AdapterRows.All(bank).WithDropout([1]),
            other = AdapterRows.All(bank).WithDropout([2]);
        var (x, y, z) = (
            TinyModels.Logits(model, ids, first),
            TinyModels.Logits(model, ids, same),
            TinyModels.Logits(model, ids, other)
        );
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
        var mask = DropoutMask
            .Create([1, 2, 3, 4, 5, 6, 7, 8], 512, 45, 0.25, zeros(1, dtype: dtype))
            .to(ScalarType.Float32); // 45: both the vectors and what is left over
        Assert.Equal([0f, 4f / 3], mask.unique().output.data<float>().ToArray(), (x, y) => Math.Abs(x - y) < 0.01);
        var dropped = mask.eq(0).to(ScalarType.Float32); // standard deviation of a mean over n: sqrt(.25 * .75 / n)
        Assert.InRange((dropped.mean() - 0.25).abs().item<float>(), 0, 5 * 0.433 / Math.Sqrt(8 * 512 * 45));
        Assert.InRange((dropped.mean([0, 1]) - 0.25).abs().max().item<float>(), 0, 5 * 0.433 / Math.Sqrt(8 * 512));
        Assert.InRange((dropped.mean([0, 2]) - 0.25).abs().max().item<float>(), 0, 5 * 0.433 / Math.Sqrt(8 * 45));
        Assert.InRange((dropped.mean([1, 2]) - 0.25).abs().max().item<float>(), 0, 5 * 0.433 / Math.Sqrt(512 * 45));
        // Independent: 1 / 16.
        var neighbors = (dropped.narrow(2, 1, 44) * dropped.narrow(2, 0, 44)).mean().item<float>();
        Assert.Equal(0.0625, neighbors, 0.005);
    }
}
