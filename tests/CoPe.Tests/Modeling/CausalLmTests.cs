using CoPe.Adapters;
using CoPe.Modeling;
using CoPe.Testing;
using static TorchSharp.torch;

namespace CoPe.Tests.Modeling;

[Collection("torch")]
public class CausalLmTests
{
    public static TheoryData<string> Models => [nameof(TinyModels.Plain), nameof(TinyModels.Everything)];

    [Theory]
    [MemberData(nameof(Models))]
    public void A_row_alone_equals_the_same_row_in_a_padded_batch(string name)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = TinyModels.Random(TinyModels.FromName(name));
        var ids = TinyModels.Ids(3, 9);
        var batched = TinyModels.Logits(model, ids);
        for (var row = 0; row < 3; row++)
        {
            for (var length = 4; length <= 9; length += 5)
            {
                TinyModels.AssertClose(
                    TinyModels.Logits(model, ids.narrow(0, row, 1).narrow(1, 0, length)),
                    batched.narrow(0, row, 1).narrow(1, 0, length)
                );
            }
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void A_shared_prompt_with_two_answers_equals_two_rows(string name)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = TinyModels.Random(TinyModels.FromName(name));
        var (prompt, first, second) = (TinyModels.Ids(1, 5, 2), TinyModels.Ids(1, 3, 3), TinyModels.Ids(1, 2, 4));
        // Columns: 5 of the prompt, 3 of one answer, 2 of the other, which does not see the first and counts on from
        // the prompt.
        var visible = ones([10, 10], dtype: ScalarType.Bool).tril();
        visible[8.., 5..8] = false;
        using var shared = new TokenBatch(
            cat([prompt, first, second], 1),
            tensor(new long[] { 0, 1, 2, 3, 4, 5, 6, 7, 5, 6 }).unsqueeze(0),
            visible.unsqueeze(0)
        );
        var logits = model.ComputeLogits(model.Forward(shared));
        TinyModels.AssertClose(TinyModels.Logits(model, cat([prompt, first], 1)), logits.narrow(1, 0, 8));
        TinyModels.AssertClose(
            TinyModels.Logits(model, cat([prompt, second], 1)).narrow(1, 5, 2),
            logits.narrow(1, 8, 2)
        );
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void A_pass_leaves_no_tensor_behind(string name)
    {
        using var noGrad = no_grad();
        using var model = TinyModels.Random(TinyModels.FromName(name));
        using var bank = TinyModels.Adapters(model.Config, 2);
        using var adapters = AdapterRows.ForRows(bank, [1, 0]);
        using var cache = new KvCache(model, 2, 8);
        using var ids = TinyModels.Ids(2, 5);
        using var batch = new TokenBatch(ids.clone());
        Pass(); // the first pass keeps the adapters' factors ready
        var before = TensorCount.AfterGarbageCollection();
        Pass();
        Assert.Equal(before, Tensor.TotalCount);

        void Pass()
        {
            using var hidden = model.Forward(batch, adapters, cache.Slice(0, 2, 5));
            using var logits = model.ComputeLogits(hidden);
        }
    }

    [Fact]
    public void A_training_pass_leaves_no_tensor_but_the_gradients()
    {
        using var model = TinyModels.Random(TinyModels.Everything);
        using var bank = TinyModels.Adapters(model.Config, 2);
        bank.RequireGrad(true);
        Step();
        var before = TensorCount.AfterGarbageCollection();
        Step();
        Assert.Equal(before, Tensor.TotalCount);

        void Step()
        {
            using var scope = NewDisposeScope();
            using var adapters = AdapterRows.ForRows(bank, [1, 0]);
            TinyModels.Logits(model, TinyModels.Ids(2, 5), adapters).sum().backward();
        }
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void Weights_to_train_from_scratch_all_get_a_float32_gradient(ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        using var model = new CausalLm(TinyModels.Everything, ModelWeights.Initialize(TinyModels.Everything, 1), dtype);
        var logits = TinyModels.Logits(model, TinyModels.Ids(2, 5));
        Assert.Equal(ScalarType.Float32, logits.dtype);
        logits.square().mean().backward();
        foreach (var weight in model.Weights.Parameters())
        {
            Assert.Equal(ScalarType.Float32, weight.grad!.dtype);
            Assert.True(weight.grad.isfinite().all().item<bool>());
        }
    }

    [Fact]
    public void The_same_seed_initializes_the_same_weights()
    {
        using var first = ModelWeights.Initialize(TinyModels.Plain, 9);
        using var second = ModelWeights.Initialize(TinyModels.Plain, 9);
        using var other = ModelWeights.Initialize(TinyModels.Plain, 10);
        Assert.All(first.Names, name => Assert.True(first[name].equal(second[name]).all().item<bool>()));
        Assert.False(first[first.Names[0]].equal(other[first.Names[0]]).all().item<bool>());
    }

    [Fact]
    public void A_mask_of_another_shape_is_refused()
    {
        using var scope = NewDisposeScope();
        Assert.Throws<ArgumentException>(() =>
            new TokenBatch(TinyModels.Ids(2, 5), visible: ones([2, 5, 4], dtype: ScalarType.Bool))
        );
        Assert.Throws<ArgumentException>(() =>
            new TokenBatch(TinyModels.Ids(2, 5), zeros([2, 4], dtype: ScalarType.Int64))
        );
        Assert.Contains(
            "There are 9 positions; expected 10",
            Assert.Throws<ArgumentException>(() => new TokenBatch(TinyModels.Ids(2, 5), new long[9])).Message
        );
    }
}

[Collection("torch")]
public class RmsNormTests
{
    [Theory]
    [InlineData(false, 1.5, -2.0)] // 3 / sqrt((9 + 16) / 2) = 0.84853, -4 / 3.5355 = -1.13137; times 1.5, 2
    [InlineData(true, 2.5, -1.0)]
    public void Rows_are_divided_by_their_root_mean_square(bool addOne, double first, double second)
    {
        using var scope = NewDisposeScope();
        var weight = addOne ? tensor([1.5f, -2f]) : tensor([1.5f, -2f]);
        var result = RmsNorm.Apply(
            tensor(
                new[,]
                {
                    { 3f, -4f },
                }
            ),
            weight,
            0,
            addOne
        );
        Assert.Equal(0.8485281f * (float)first, result[0, 0].item<float>(), 1e-5f);
        Assert.Equal(-1.1313708f * (float)second, result[0, 1].item<float>(), 1e-5f);
    }

    [Fact]
    public void Large_bf16_values_do_not_overflow_and_nothing_is_left_behind()
    {
        using var scope = NewDisposeScope();
        var (x, weight) = (
            full([1, 4], 1e30, dtype: ScalarType.BFloat16).div(1e12),
            ones(4, dtype: ScalarType.BFloat16)
        );
        var before = TensorCount.AfterGarbageCollection();
        using (var result = RmsNorm.Apply(x, weight, 1e-6, false))
        using (var wide = result.to(ScalarType.Float32))
        {
            Assert.Equal(ScalarType.BFloat16, result.dtype);
        }

        Assert.Equal(before, Tensor.TotalCount);
    }
}
