using CoPe.Adapters;
using CoPe.Modeling;
using CoPe.Scoring;
using CoPe.Testing;
using static TorchSharp.torch;

namespace CoPe.Tests.Scoring;

[Collection("torch")]
public class PrefixCacheTests
{
    static readonly IReadOnlyList<int>[] Invocation =
    [
        [7, 3],
    ];

    static readonly DecoderConfig Large = TinyModels.Plain with { LayerCount = 16, HeadDim = 64, MaxPositions = 4096 };

    [Theory]
    [InlineData(new[] { 1, 2, 7, 3 }, new[] { 5, 6 }, 2)]
    [InlineData(new[] { 1, 7, 3, 2, 7, 3 }, new[] { 5, 6 }, 4)]
    [InlineData(new[] { 1, 2, 4, 5 }, new[] { 5, 6 }, 3)] // what predicts the first label is computed with the rest
    [InlineData(new[] { 1, 2, 4, 7 }, new[] { 3, 6 }, 3)]
    [InlineData(new[] { 1, 7, 3, 2 }, new[] { 5, 7, 3 }, 1)]
    [InlineData(new[] { 7, 3, 2 }, new[] { 5 }, 0)]
    [InlineData(new[] { 4 }, new[] { 5 }, 0)]
    public void A_prefix_ends_where_an_adapter_begins_to_act(int[] prompt, int[] response, int expected) =>
        Assert.Equal(expected, new BranchedPrompt(prompt, response).CountUntouched(Invocation));

    [Fact]
    public void Responses_that_part_within_the_prompt_have_no_more_than_both_share()
    {
        var row = BranchedPrompt.Create(
            [1, 2, 7, 3, 5],
            [
                [4],
                [6, 7, 3, 2],
            ],
            Invocation
        );
        Assert.Equal(2, row.CountUntouched(Invocation));
        Assert.Equal(0, row.CountUntouched([]));
    }

    [Fact]
    public void Beyond_its_bound_it_drops_what_was_unused_for_longest()
    {
        using var model = TinyModels.Random(Large);
        using var cache = new PrefixCache(1);
        PromptPrefix[] prefixes = [.. Enumerable.Range(1, 4).Select(first => Prefix(first, 30))];
        var bytes = KvCache.CountBytes(model, 1, 30); // two fit
        Assert.InRange(bytes, 1 << 18, 1 << 19);
        Rent(cache, model, prefixes[0]);
        Rent(cache, model, prefixes[1]);
        Assert.Equal(2 * bytes, cache.Bytes);
        Rent(cache, model, prefixes[0]);
        Rent(cache, model, prefixes[2]); // drops the second
        Assert.Equal(2 * bytes, cache.Bytes);
        Assert.Equal(3, cache.ComputedCount);
        Rent(cache, model, prefixes[0]);
        Assert.Equal(3, cache.ComputedCount);
        Rent(cache, model, prefixes[1]);
        Assert.Equal(4, cache.ComputedCount);
        using (cache.Rent(model, prefixes, isAlone: false))
        {
            Assert.Equal(4 * bytes, cache.Bytes); // what passes use stays
        }

        Assert.Equal(2 * bytes, cache.Bytes);
        cache.Clear();
        Assert.Equal(0, cache.Bytes);
    }

    [Fact]
    public void Other_tokens_another_adapter_or_another_model_are_another_prompt()
    {
        using var model = TinyModels.Random(TinyModels.Plain);
        using var other = TinyModels.Random(TinyModels.Plain, seed: 2);
        using var task = TinyModels.Adapters(TinyModels.Plain, 1);
        using var cache = new PrefixCache(1);
        Rent(cache, model, Prefix(1, 5));
        Rent(cache, model, Prefix(1, 5));
        Assert.Equal(1, cache.ComputedCount);
        Rent(cache, model, Prefix(2, 5));
        Rent(cache, model, Prefix(1, 6));
        Rent(cache, model, Prefix(1, 5, task));
        Rent(cache, other, Prefix(1, 5));
        Assert.Equal(5, cache.ComputedCount);
        task.RequireGrad(false); // as after any change of its numbers
        Rent(cache, model, Prefix(1, 5, task));
        Assert.Equal(6, cache.ComputedCount);
    }

    [Fact]
    public void Threads_that_need_a_prompt_at_once_compute_it_once_and_get_the_bits_of_one_alone()
    {
        using var model = TinyModels.Random(TinyModels.Plain);
        using var cache = new PrefixCache(1);
        using var alone = new PrefixCache(1);
        PromptPrefix[] prefixes = [Prefix(1, 20), Prefix(2, 20)];
        var threads = Enumerable
            .Range(0, 8)
            .Select(i => new Thread(() =>
                cache.Rent(model, [prefixes[i % 2], prefixes[(i + 1) % 2]], isAlone: true).Dispose()
            ))
            .ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        Assert.Equal(2, cache.ComputedCount);
        foreach (var prefix in prefixes)
        {
            Assert.Equal(ReadKeys(alone, model, prefix), ReadKeys(cache, model, prefix));
        }
    }

    [Fact]
    public void What_could_not_be_computed_is_tried_again_and_leaves_nothing_behind()
    {
        using var model = TinyModels.Random(TinyModels.Plain);
        using var cache = new PrefixCache(1);
        var before = TensorCount.AfterGarbageCollection();
        var unknown = Prefix(TinyModels.Plain.VocabSize, 3);
        for (var attempt = 0; attempt < 2; attempt++)
        {
            Assert.ThrowsAny<Exception>(() => cache.Rent(model, [Prefix(1, 4), unknown], isAlone: false));
        }

        Assert.Equal(1, cache.ComputedCount);
        cache.Clear();
        Assert.Equal(0, cache.Bytes);
        Assert.Equal(before, TensorCount.AfterGarbageCollection());
    }

    static PromptPrefix Prefix(int first, int length, AdapterBank? task = null)
    {
        int[] prompt = [first, .. Enumerable.Range(0, length - 1).Select(i => i % 5 + 20), 7, 3];
        return PromptPrefix.Create(new BranchedPrompt(prompt, [5]), task, Invocation)!;
    }

    static void Rent(PrefixCache cache, CausalLm model, PromptPrefix prefix) =>
        cache.Rent(model, [prefix], isAlone: false).Dispose();

    static float[] ReadKeys(PrefixCache cache, CausalLm model, PromptPrefix prefix)
    {
        using var scope = NewDisposeScope();
        using var lease = cache.Rent(model, [prefix], isAlone: true);
        var nothing = zeros([1, 0, 2, 6]);
        return lease.Columns.Prepend(1, nothing, nothing).Keys.contiguous().data<float>().ToArray();
    }
}
