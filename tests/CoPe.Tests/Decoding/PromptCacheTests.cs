using CoPe.Adapters;
using CoPe.Decoding;
using CoPe.Testing;
using static TorchSharp.torch;

namespace CoPe.Tests.Decoding;

/// <summary>Conversations, line by line with and without what earlier lines computed.</summary>
[Collection("torch")]
public sealed class PromptCacheTests : IDisposable
{
    const int NewTokens = 12;

    static readonly int[] Header = [401, 17, 402];

    readonly GoldenModel _golden = GoldenModel.Llama();
    readonly AdapterBank _answerUsers;
    readonly PromptCache _cache = new();

    /// <summary>The golden users, and the same acting on the answer alone.</summary>
    public PromptCacheTests()
    {
        var config = _golden.Users.Config with { Active = ActivePositions.Answer, InvocationTokens = Header };
        _answerUsers = AdapterBank.Create(_golden.Model.Config, config, [1, 2]);
        _answerUsers.CopyFrom(_golden.Users);
    }

    public void Dispose()
    {
        _cache.Dispose();
        _answerUsers.Dispose();
        _golden.Dispose();
    }

    static int[] Text(Random random, int length) => [.. Enumerable.Range(0, length).Select(_ => random.Next(3, 400))];

    static DecodingRequest Request(IReadOnlyList<int> prompt) =>
        new()
        {
            Id = "line",
            Prompt = prompt,
            Expert = AdapterSelection.TaskAndUser(0),
            Amateur = AdapterSelection.Task,
            Options = new() { MaxNewTokens = NewTokens },
        };

    (IReadOnlyList<int> Ids, DecodingTrace Trace) Run(
        DecodingRequest request,
        PromptCache? cache,
        AdapterBank? users = null
    )
    {
        var (results, trace) = RunAll([request], cache, users);
        return (Assert.Single(results).Ids, trace);
    }

    (IReadOnlyList<DecodingResult> Results, DecodingTrace Trace) RunAll(
        IReadOnlyList<DecodingRequest> requests,
        PromptCache? cache,
        AdapterBank? users = null,
        int batches = 1
    )
    {
        var trace = new DecodingTrace();
        var options = new EngineOptions
        {
            Batches = batches,
            Trace = trace,
            PromptCache = cache,
        };
        var engine = new DecodingEngine(_golden.Model, _golden.Task, users ?? _golden.Users, [], options);
        return (engine.InOrder(requests), trace);
    }

    [Fact]
    public void A_second_line_computes_its_own_tokens_alone_for_expert_and_amateur()
    {
        var random = new Random(1);
        int[] first = [.. Text(random, 60), .. Header];
        var (answer, opening) = Run(Request(first), _cache);
        Assert.Equal((2 * 62, 0), (opening.PromptTokensComputed, opening.PromptTokensReused));

        int[] second = [.. first, .. answer, .. Text(random, 20), .. Header];
        var trace = Run(Request(second), _cache).Trace;

        // The answer's last token was chosen and never fed; the prompt's last token is fed by the first step.
        var known = first.Length + NewTokens - 1;
        Assert.Equal(
            (2 * (second.Length - 1 - known), 2 * known, 0),
            (trace.PromptTokensComputed, trace.PromptTokensReused, trace.PromptTokensCopied)
        );
    }

    [Fact]
    public void An_adapter_on_the_answer_alone_takes_the_earlier_answer_from_the_amateur()
    {
        var random = new Random(1);
        int[] first = [.. Text(random, 60), .. Header];
        var (answer, _) = Run(Request(first), _cache, _answerUsers);
        int[] second = [.. first, .. answer, .. Text(random, 20), .. Header];
        var trace = Run(Request(second), _cache, _answerUsers).Trace;
        var known = first.Length + NewTokens - 1;
        Assert.Equal(
            (2 * (second.Length - 1 - known), 2 * known),
            (trace.PromptTokensComputed, trace.PromptTokensReused)
        );
    }

    [Fact]
    public void Without_an_amateur_an_adapter_on_the_answer_alone_computes_the_earlier_answer_as_the_base_does()
    {
        var random = new Random(1);
        int[] first = [.. Text(random, 60), .. Header];
        var (answer, _) = Run(Request(first) with { Amateur = null }, _cache, _answerUsers);
        int[] second = [.. first, .. answer, .. Text(random, 20), .. Header];
        var trace = Run(Request(second) with { Amateur = null }, _cache, _answerUsers).Trace;
        // From the first header on its keys were the adapter's.
        Assert.Equal((second.Length - 1 - 60, 60), (trace.PromptTokensComputed, trace.PromptTokensReused));
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(false, false)]
    [InlineData(true, true)]
    [InlineData(true, false)]
    public void Every_line_of_a_conversation_is_answered_as_by_a_fresh_engine(bool onAnswer, bool contrast)
    {
        var users = onAnswer ? _answerUsers : _golden.Users;
        for (var seed = 1; seed <= 3; seed++)
        {
            var random = new Random(seed);
            int[] prompt = [.. Text(random, 40), .. Header];
            for (var line = 0; line < 4; line++)
            {
                using var fresh = new PromptCache();
                var request = Request(prompt) with
                {
                    Seed = seed,
                    Amateur = contrast ? AdapterSelection.Task : null,
                    Options = new()
                    {
                        MaxNewTokens = NewTokens,
                        DoSample = true,
                        Temperature = 1.2,
                    },
                };
                var answer = Run(request, _cache, users).Ids;
                Assert.Equal(Run(request, fresh, users).Ids, answer);
                Assert.Equal(Run(request, null, users).Ids, answer);
                AssertEqualColumns(fresh, _cache);
                // Now and then a template shows an earlier answer in another way.
                var shown = line == 1 ? answer.Skip(3) : answer;
                prompt = [.. prompt, .. shown, .. Text(random, 5 + 30 * line), .. Header];
            }

            _cache.Clear();
        }
    }

    /// <summary>All that one cache keeps, the other keeps with the same keys and values up to rounding.</summary>
    void AssertEqualColumns(PromptCache expected, PromptCache actual)
    {
        using var kept = actual.Rent(_golden.Model);
        using var freshlyKept = expected.Rent(_golden.Model);
        Assert.NotEmpty(freshlyKept.Rows);
        for (var i = 0; i < freshlyKept.Rows.Count; i++)
        {
            var row = freshlyKept.Rows[i];
            var same = kept.Rows.Index().Single(other => other.Item.BeginsWith(row) && row.BeginsWith(other.Item));
            using var scope = NewDisposeScope();
            foreach (var (one, other) in freshlyKept[i].Layers.Zip(kept[same.Index].Layers))
            {
                Assert.True(one.Keys.allclose(other.Keys, 1e-3, 1e-4));
                Assert.True(one.Values.allclose(other.Values, 1e-3, 1e-4));
            }
        }
    }

    [Fact]
    public void The_longest_common_beginning_of_ids_rules_where_an_earlier_turn_is_shown_in_another_way()
    {
        var random = new Random(1);
        int[] first = [.. Text(random, 60), .. Header];
        var (answer, _) = Run(Request(first), _cache);
        int[] second = [.. first, .. answer.Take(5), 403, .. answer.Skip(5), .. Header];
        var trace = Run(Request(second), _cache).Trace;
        Assert.Equal(2 * (first.Length + 5), trace.PromptTokensReused);
        Assert.Equal(2 * (second.Length - 1 - first.Length - 5), trace.PromptTokensComputed);
    }

    [Fact]
    public void Another_user_shares_what_only_the_amateur_computed_and_changed_weights_share_nothing()
    {
        int[] prompt = [.. Text(new Random(1), 60), .. Header];
        Run(Request(prompt), _cache);

        var other = Run(Request(prompt) with { Expert = AdapterSelection.TaskAndUser(1) }, _cache).Trace;
        Assert.Equal((62, 62), (other.PromptTokensComputed, other.PromptTokensReused));

        using var reloaded = AdapterBank.Stack([_golden.Users]);
        var ofOtherBank = Run(Request(prompt), _cache, reloaded).Trace;
        Assert.Equal((62, 62), (ofOtherBank.PromptTokensComputed, ofOtherBank.PromptTokensReused));

        _golden.Users.CopyFrom(_golden.Users);
        var changed = Run(Request(prompt), _cache).Trace;
        Assert.Equal((62, 62), (changed.PromptTokensComputed, changed.PromptTokensReused));

        var plain = Request(prompt) with { Expert = AdapterSelection.Base, Amateur = null };
        Assert.Equal(62, Run(plain, _cache).Trace.PromptTokensComputed);
        Assert.Equal(0, Run(plain, _cache).Trace.PromptTokensComputed);
    }

    [Fact]
    public void Users_of_another_bank_share_the_prompt_before_their_answers()
    {
        int[] prompt = [.. Text(new Random(1), 60), .. Header];
        var alone = Request(prompt) with { Amateur = null };
        Run(alone, _cache, _answerUsers);
        using var reloaded = AdapterBank.Stack([_answerUsers]);
        var trace = Run(alone, _cache, reloaded).Trace;
        Assert.Equal((2, 60), (trace.PromptTokensComputed, trace.PromptTokensReused));
    }

    [Fact]
    public void A_stopped_answer_leaves_its_prompt_computed()
    {
        var request = Request([.. Text(new Random(1), 60), .. Header]);
        using var stop = new CancellationTokenSource();
        var options = new EngineOptions { Batches = 1, PromptCache = _cache };
        var engine = _golden.Engine([], options);
        Assert.ThrowsAny<OperationCanceledException>(() =>
            engine.GenerateInOrder([request with { OnToken = _ => stop.Cancel() }], cancellation: stop.Token)
        );
        var (ids, trace) = Run(request, _cache);
        Assert.Equal((0, 2 * 62), (trace.PromptTokensComputed, trace.PromptTokensReused));
        Assert.Equal(Run(request, null).Ids, ids);
    }

    [Fact]
    public void What_was_used_longest_ago_is_given_up_first_and_what_is_too_large_is_not_kept()
    {
        var random = new Random(1);
        int[][] prompts = [.. Enumerable.Range(0, 3).Select(_ => Text(random, 50))];
        DecodingRequest[] requests =
        [
            .. prompts.Select(prompt => Request(prompt) with { Expert = AdapterSelection.Base, Amateur = null }),
        ];
        long Reused(int request, PromptCache cache) => Run(requests[request], cache).Trace.PromptTokensReused;
        Run(requests[0], _cache);
        var bytes = _cache.Bytes; // of the prompt and its answer
        Assert.Equal(
            (50 + NewTokens - 1)
                * 2L
                * sizeof(float)
                * _golden.Model.Config.LayerCount
                * _golden.Model.Config.KeyValueHeadCount
                * _golden.Model.Config.HeadDim,
            bytes
        );

        using var two = new PromptCache(2 * bytes);
        Assert.Equal([0, 0, 49], [Reused(0, two), Reused(1, two), Reused(0, two)]);
        Assert.Equal(0, Reused(2, two));
        Assert.Equal(49, Reused(0, two));
        Assert.Equal(0, Reused(1, two));
        Assert.InRange(two.Bytes, 1, two.MaxBytes);

        using var none = new PromptCache(1);
        Assert.Equal([0, 0], [Reused(0, none), Reused(0, none)]);
        Assert.Equal(0, none.Bytes);
        _cache.Clear();
        Assert.Equal(0, _cache.Bytes);
        Assert.Throws<ArgumentOutOfRangeException>(() => new PromptCache(0));
    }

    [Fact]
    public void Batches_in_parallel_share_a_cache_and_change_no_answer()
    {
        var random = new Random(1);
        var beginning = Text(random, 50);
        for (var round = 0; round < 4; round++)
        {
            DecodingRequest[] requests =
            [
                .. Enumerable
                    .Range(0, 12)
                    .Select(i =>
                        Request([.. beginning, .. Text(random, random.Next(1, 30))]) with
                        {
                            Id = $"{i}",
                            Expert = TestSelections.Create(true, i % 3 - 1),
                            Samples = 1 + i % 2,
                        }
                    ),
            ];
            var expected = RunAll(requests, null).Results.Select(result => result.Ids);
            Assert.Equal(expected, RunAll(requests, _cache, batches: 3).Results.Select(result => result.Ids));
        }
    }

    [Fact]
    public void It_owns_all_tensors_that_it_keeps()
    {
        var before = TensorCount.AfterGarbageCollection();
        using (var cache = new PromptCache())
        {
            int[] prompt = [.. Text(new Random(1), 60), .. Header];
            Run(Request(prompt), cache);
            Run(Request([.. prompt, .. prompt]), cache);
            using var rented = cache.Rent(_golden.Model);
            cache.Clear();
            Assert.True(Tensor.TotalCount > before);
        }

        Assert.Equal(before, Tensor.TotalCount);
    }
}
