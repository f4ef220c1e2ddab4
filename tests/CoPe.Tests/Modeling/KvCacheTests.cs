using CoPe.Adapters;
using CoPe.Modeling;
using CoPe.Testing;
using static TorchSharp.torch;

namespace CoPe.Tests.Modeling;

[Collection("torch")]
public class KvCacheTests
{
    public static TheoryData<string> Models => [nameof(TinyModels.Plain), nameof(TinyModels.Everything)];

    [Theory]
    [MemberData(nameof(Models))]
    public void Cached_steps_with_rows_of_different_lengths_equal_the_full_pass(string name)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = TinyModels.Random(TinyModels.FromName(name));
        using var bank = TinyModels.Adapters(model.Config, 2);
        using var adapters = AdapterRows.ForRows(bank, [0, -1, 1]);
        var ids = TinyModels.Ids(3, 12);
        var full = TinyModels.Logits(model, ids, adapters);
        int[] lengths = [6, 2, 5];
        using var cache = new KvCache(model, 4, 16);

        // Prompts padded on the right, in cache rows 1 to 3; then each row continues by one token at its own position.
        using (var prompt = new TokenBatch(ids.narrow(1, 0, 6).clone()))
        {
            model.Prefill(prompt, adapters, cache.Slice(1, 3, 6));
        }

        for (var step = 0; step < 5; step++)
        {
            var positions = lengths.Select(l => (long)l + step).ToArray();
            var at = tensor(positions).unsqueeze(1);
            using var next = new TokenBatch(ids.gather(1, at), at.clone());
            var logits = model.ComputeLogits(
                model.Forward(next, adapters, cache.Slice(1, 3, (int)positions.Max() + 1))
            );
            for (var row = 0; row < 3; row++)
            {
                TinyModels.AssertClose(full[row][positions[row]], logits[row][0]);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void A_prompt_read_in_two_chunks_equals_one_read_whole(string name)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = TinyModels.Random(TinyModels.FromName(name));
        var ids = TinyModels.Ids(2, 9);
        var full = TinyModels.Logits(model, ids);
        using var cache = new KvCache(model, 2, 9);
        using (var first = new TokenBatch(ids.narrow(1, 0, 4).clone()))
        {
            model.Prefill(first, null, cache.Slice(0, 2, 4));
        }

        using var second = new TokenBatch(
            ids.narrow(1, 4, 5).clone(),
            arange(4, 9, dtype: ScalarType.Int64).expand(2, 5).contiguous()
        );
        TinyModels.AssertClose(
            full.narrow(1, 4, 5),
            model.ComputeLogits(model.Forward(second, null, cache.Slice(0, 2, 9)))
        );
    }

    [Fact]
    public void A_copied_row_continues_as_the_original()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = TinyModels.Random(TinyModels.Plain);
        var ids = TinyModels.Ids(1, 6);
        using var cache = new KvCache(model, 3, 8);
        using (var prompt = new TokenBatch(ids.narrow(1, 0, 5).clone()))
        {
            model.Forward(prompt, null, cache.Slice(0, 1, 5));
        }

        cache.CopyRow(0, 2, 5);
        using var next = new TokenBatch(ids.narrow(1, 5, 1).clone(), [5L]);
        TinyModels.AssertClose(
            TinyModels.Logits(model, ids)[0][5],
            model.ComputeLogits(model.Forward(next, null, cache.Slice(2, 1, 6)))[0][0]
        );
    }

    [Fact]
    public void A_copied_beginning_and_the_rest_equal_a_prompt_read_whole_within_what_bf16_rounds()
    {
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        using var exact = TinyModels.Random(TinyModels.Plain);
        var model = new CausalLm(exact.Config, exact.Weights, ScalarType.BFloat16); // the weights are the other's
        var ids = TinyModels.Ids(1, 40);
        var whole = TinyModels.Logits(model, ids)[0].narrow(0, 30, 10);
        using var cache = new KvCache(model, 2, 40);
        using (var first = new TokenBatch(ids.narrow(1, 0, 30).clone()))
        {
            model.Forward(first, null, cache.Slice(0, 1, 30));
        }

        cache.CopyRow(0, 1, 30);
        using var rest = new TokenBatch(
            ids.narrow(1, 30, 10).clone(),
            arange(30, 40, dtype: ScalarType.Int64).unsqueeze(0)
        );
        var shared = model.ComputeLogits(model.Forward(rest, null, cache.Slice(1, 1, 40)))[0];
        var rounding = GoldenTensors.Difference(TinyModels.Logits(exact, ids)[0].narrow(0, 30, 10), whole);
        TinyModels.AssertClose(whole, shared, 3 * rounding);
    }

    [Fact]
    public void Positions_past_the_rows_given_are_refused()
    {
        using var scope = NewDisposeScope();
        using var model = TinyModels.Random(TinyModels.Plain);
        using var cache = new KvCache(model, 1, 8);
        using var batch = new TokenBatch(TinyModels.Ids(1, 1), tensor(new long[] { 5 }).unsqueeze(0));
        Assert.Throws<ArgumentException>(() => model.Forward(batch, null, cache.Slice(0, 1, 5)));
        Assert.Throws<ArgumentOutOfRangeException>(() => cache.Slice(0, 1, 9));
        Assert.Throws<ArgumentException>(() => cache.Slice(0, 2, 5));
    }
}
