using CoPe.Adapters;
using CoPe.Decoding;
using CoPe.Scoring;
using CoPe.Testing;
using static TorchSharp.torch;

namespace CoPe.Tests.Decoding;

[Collection("torch")]
public class DecodingEngineTests
{
    internal static DecodingRequest[] RandomRequests(int count, int seed)
    {
        var random = new Random(seed);
        return
        [
            .. Enumerable
                .Range(0, count)
                .Select(i => new DecodingRequest
                {
                    Id = $"r{i}",
                    Prompt = [.. Enumerable.Range(0, random.Next(1, 30)).Select(_ => random.Next(3, 512))],
                    Seed = random.NextInt64(),
                    Expert = TestSelections.Create(random.Next(2) == 0, random.Next(-1, 2)),
                    Amateur = random.Next(3) switch
                    {
                        0 => null,
                        1 => AdapterSelection.Base,
                        _ => AdapterSelection.Task,
                    },
                    Samples = random.Next(1, 4),
                    Options = new DecodingOptions
                    {
                        MaxNewTokens = random.Next(1, 12),
                        ContrastUnlessCertain = i % 3 == 0 ? .3 : null,
                        RepetitionPenalty = random.Next(2) == 0 ? 1 : 1.2,
                        Penalize = random.Next(2) == 0 ? RepetitionPenaltyTarget.Score : RepetitionPenaltyTarget.Logits,
                        DoSample = random.Next(2) == 0,
                        TopK = random.Next(2) == 0 ? 0 : 20,
                        Temperature = .8,
                    },
                }),
        ];
    }

    internal static string Show(IEnumerable<DecodingResult> results) =>
        string.Join(
            '\n',
            results.Select(result =>
                $"{result.RequestId}.{result.Sample} {result.StopReason}: {string.Join(' ', result.Ids)}"
            )
        );

    [Theory]
    [InlineData(1, 64, 8192)]
    [InlineData(2, 7, 40)]
    [InlineData(3, 6, 1)]
    public void A_request_gets_the_same_alone_and_in_any_batch(int seed, int maxRows, int prefillTokens)
    {
        using var golden = GoldenModel.Llama();
        var requests = RandomRequests(14, seed);
        var alone = requests.SelectMany(request => golden.Engine().InOrder([request]));
        var together = golden
            .Engine(
                options: new EngineOptions
                {
                    MaxRows = maxRows,
                    PrefillTokens = prefillTokens,
                    LookAhead = 5,
                }
            )
            .InOrder(requests);
        Assert.Equal(Show(alone), Show(together));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Batches_side_by_side_draw_the_same(int batches)
    {
        using var golden = GoldenModel.Llama();
        var requests = RandomRequests(14, 6);
        Assert.Equal(
            Show(golden.Engine().InOrder(requests)),
            Show(golden.Engine(options: new EngineOptions { Batches = batches, MaxRows = 6 }).InOrder(requests))
        );
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Two_threads_that_share_an_engine_get_the_answers_that_each_gets_alone(int batches)
    {
        using var golden = GoldenModel.Llama();
        var engine = golden.Engine(options: new EngineOptions { Batches = batches, MaxRows = 6 });
        DecodingRequest[][] requests = [RandomRequests(10, 11), RandomRequests(10, 12)];
        string[] expected = [.. requests.Select(some => Show(engine.InOrder(some)))];
        var found = new string[requests.Length];
        Thread[] callers =
        [
            .. requests.Select((some, caller) => new Thread(() => found[caller] = Show(engine.GenerateInOrder(some)))),
        ];
        foreach (var caller in callers)
        {
            caller.Start();
        }
        foreach (var caller in callers)
        {
            caller.Join();
        }
        Assert.Equal(expected, found);
    }

    [Fact]
    public void Two_streams_of_an_engine_can_be_read_in_turn()
    {
        using var golden = GoldenModel.Llama();
        var engine = golden.Engine(options: new EngineOptions { Batches = 1 });
        DecodingRequest[][] requests = [RandomRequests(6, 13), RandomRequests(6, 14)];
        string[] expected = [.. requests.Select(some => Show(engine.Stream(some)))];
        var pairs = engine.Stream(requests[0]).Zip(engine.Stream(requests[1])).ToList();
        Assert.StartsWith(Show(pairs.Select(pair => pair.First)), expected[0], StringComparison.Ordinal);
        Assert.StartsWith(Show(pairs.Select(pair => pair.Second)), expected[1], StringComparison.Ordinal);
    }

    [Fact]
    public void A_bad_request_ends_all_batches_and_is_named()
    {
        using var golden = GoldenModel.Llama();
        DecodingRequest[] requests =
        [
            .. RandomRequests(9, 7),
            new DecodingRequest
            {
                Id = "empty",
                Prompt = [],
                Options = new(),
            },
        ];
        var error = Assert.Throws<ArgumentException>(() =>
            golden.Engine(options: new EngineOptions { Batches = 2 }).InOrder(requests)
        );
        Assert.Contains("'empty'", error.Message);
    }

    [Fact]
    public void Another_order_and_a_remainder_of_the_queue_draw_the_same()
    {
        using var golden = GoldenModel.Llama();
        var requests = RandomRequests(12, 4);
        var all = Show(golden.Engine().InOrder(requests).OrderBy(result => result.RequestId, StringComparer.Ordinal));
        var resumed = requests
            .Reverse()
            .Chunk(5)
            .SelectMany(part => golden.Engine().InOrder(part))
            .OrderBy(result => result.RequestId, StringComparer.Ordinal)
            .ThenBy(result => result.Sample);
        Assert.Equal(all, Show(resumed));
    }

    [Fact]
    public void Later_samples_can_be_drawn_later()
    {
        using var golden = GoldenModel.Llama();
        var request = new DecodingRequest
        {
            Id = "a",
            Prompt = [5, 6, 7],
            Seed = 9,
            Samples = 4,
            Options = new DecodingOptions
            {
                DoSample = true,
                Temperature = 1,
                MaxNewTokens = 8,
            },
        };
        var all = golden.Engine().InOrder([request]);
        var first = golden.Engine().InOrder([request with { Samples = 2 }]);
        var rest = golden.Engine().InOrder([request with { Samples = 2, FirstSample = 2 }]);
        Assert.Equal(Show(all), Show(first.Concat(rest)));
        Assert.Equal(4, all.Select(result => string.Join(' ', result.Ids)).Distinct().Count());
    }

    [Fact]
    public void Without_contrast_the_answer_is_the_experts_own()
    {
        using var golden = GoldenModel.Llama();
        var plain = new DecodingRequest
        {
            Id = "a",
            Prompt = [66, 379, 189],
            Expert = GoldenModel.Expert,
            Options = new DecodingOptions { Contrast = 0, MaxNewTokens = 20 },
        };
        var expected = golden.Engine().InOrder([plain]);
        var contrasted = golden.Engine().InOrder([plain with { Amateur = AdapterSelection.Task }]);
        Assert.Equal(Show(expected), Show(contrasted));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Logits_are_penalized_on_both_sides_of_the_contrast(bool sameModel)
    {
        using var golden = GoldenModel.Llama();
        var options = new DecodingOptions
        {
            Contrast = 0,
            RepetitionPenalty = 1.5,
            Penalize = RepetitionPenaltyTarget.Logits,
            MaxNewTokens = 30,
        };
        var plain = new DecodingRequest
        {
            Id = "a",
            Prompt = [66, 379, 189],
            Expert = GoldenModel.Expert,
            Options = options,
        };
        // Without contrast, and where expert and amateur are one, the score is log p times a constant: the answer is
        // that of plain decoding.
        var contrasted = sameModel
            ? plain with
            {
                Amateur = GoldenModel.Expert,
                Options = options with { Contrast = .4 },
            }
            : plain with
            {
                Amateur = AdapterSelection.Task,
            };
        Assert.Equal(Show(golden.Engine().InOrder([plain])), Show(golden.Engine().InOrder([contrasted])));
        Assert.NotEqual(
            Show(golden.Engine().InOrder([plain])),
            Show(
                golden
                    .Engine()
                    .InOrder([
                        contrasted with
                        {
                            Options = contrasted.Options with { Penalize = RepetitionPenaltyTarget.Score },
                        },
                    ])
            )
        );
    }

    [Fact]
    public void A_row_uses_the_user_adapter_that_its_request_names()
    {
        using var golden = GoldenModel.Llama();
        var request = new DecodingRequest
        {
            Id = "none",
            Prompt = [66, 379, 189, 362],
            Options = new DecodingOptions { MaxNewTokens = 20 },
        };
        var wearers = new[]
        {
            request,
            request with
            {
                Id = "task",
                Expert = AdapterSelection.Task,
            },
            request with
            {
                Id = "user0",
                Expert = AdapterSelection.TaskAndUser(0),
            },
            request with
            {
                Id = "user1",
                Expert = AdapterSelection.TaskAndUser(1),
            },
        };
        var answers = golden.Engine().InOrder(wearers);
        Assert.Equal(4, answers.Select(answer => string.Join(' ', answer.Ids)).Distinct().Count());
    }

    [Fact]
    public void Answers_of_a_batch_stream_in_the_order_in_which_they_end()
    {
        using var golden = GoldenModel.Llama();
        DecodingRequest Of(string id, int length) =>
            new()
            {
                Id = id,
                Prompt = [5, 6],
                Options = new DecodingOptions { MaxNewTokens = length },
            };
        var ids = golden
            .Engine([], new EngineOptions { Batches = 1 })
            .Stream([Of("long", 9), Of("short", 2), Of("middle", 5)])
            .Select(result => result.RequestId);
        Assert.Equal(["short", "middle", "long"], ids);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Scores_that_are_not_numbers_end_the_batch_and_name_the_request(bool sample)
    {
        using var golden = GoldenModel.Llama();
        using (no_grad())
        {
            foreach (var values in golden.Users.Parameters())
            {
                values.fill_(double.NaN);
            }
        }

        DecodingRequest Of(string id, int user) =>
            new()
            {
                Id = id,
                Prompt = [5, 6],
                Expert = AdapterSelection.TaskAndUser(user),
                Amateur = AdapterSelection.Task,
                Options = new DecodingOptions
                {
                    DoSample = sample,
                    RepetitionPenalty = 1.2,
                    MaxNewTokens = 3,
                },
            };
        var error = Assert.Throws<NonFiniteLogitsException>(() => golden.Engine().InOrder([Of("broken", 0)]));
        Assert.StartsWith("'broken': after 0 tokens", error.Message, StringComparison.Ordinal);
        Assert.Throws<NonFiniteLogitsException>(() =>
            golden
                .Scorer()
                .Score([
                    new ScoringItem(
                        "broken",
                        [5, 6],
                        [
                            [7, 8],
                        ],
                        [AdapterSelection.TaskAndUser(0)]
                    ),
                ])
        );
    }

    [Fact]
    public void Nothing_stays_behind_however_the_stream_ends()
    {
        using var golden = GoldenModel.Llama();
        var before = TensorCount.AfterGarbageCollection();
        golden.Engine().InOrder(RandomRequests(8, 5));
        Assert.Equal(before, Tensor.TotalCount);
        Assert.NotEmpty(golden.Engine().Stream(RandomRequests(8, 5)).Take(1));
        Assert.Equal(before, Tensor.TotalCount);
        using var stopping = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() =>
        {
            foreach (var _ in golden.Engine().Generate(RandomRequests(8, 5), cancellation: stopping.Token))
            {
                stopping.Cancel();
            }
        });
        Assert.Equal(before, Tensor.TotalCount);
    }
}
