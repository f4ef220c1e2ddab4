using CoPe.Adapters;
using CoPe.Decoding;
using CoPe.Testing;

namespace CoPe.Tests.Decoding;

/// <summary>Requests whose prompts begin alike: each alone computes its prompt in full, together they share.</summary>
[Collection("torch")]
public class SharedPrefixTests
{
    static DecodingRequest[] Requests(int seed, int count)
    {
        var random = new Random(seed);
        int[] Text(int length) => [.. Enumerable.Range(0, length).Select(_ => random.Next(3, 512))];
        int[][] systems = [Text(70), Text(50)];
        systems = [.. systems, [.. systems[0], .. Text(60)]];
        return
        [
            .. Enumerable
                .Range(0, count)
                .Select(i => new DecodingRequest
                {
                    Id = $"r{i}",
                    Prompt = [.. systems[random.Next(3)], .. Text(random.Next(0, 40))],
                    Seed = i,
                    Expert = TestSelections.Create(true, random.Next(-1, 2)),
                    Amateur = random.Next(2) == 0 ? null : AdapterSelection.Task,
                    Samples = random.Next(1, 3),
                    Options = new DecodingOptions
                    {
                        MaxNewTokens = random.Next(1, 10),
                        DoSample = random.Next(2) == 0,
                        Temperature = .8,
                    },
                }),
        ];
    }

    static string Show(IEnumerable<DecodingResult> results) =>
        string.Join(
            '\n',
            results.Select(result => $"{result.RequestId}.{result.Sample}: {string.Join(' ', result.Ids)}")
        );

    static (string Answers, DecodingTrace Trace) Run(
        GoldenModel golden,
        IReadOnlyList<DecodingRequest> requests,
        EngineOptions options
    )
    {
        var trace = new DecodingTrace();
        return (Show(golden.Engine(options: options with { Batches = 1, Trace = trace }).InOrder(requests)), trace);
    }

    [Theory]
    [InlineData(1, 64, 8192)]
    [InlineData(2, 9, 300)] // newcomers borrow from running rows
    [InlineData(3, 12, 1)]
    public void Sharing_changes_no_answer(int seed, int maxRows, int prefillTokens)
    {
        using var golden = GoldenModel.Llama();
        var requests = Requests(seed, 14);
        var alone = requests.Select(request => Run(golden, [request], new EngineOptions())).ToList();
        var (together, trace) = Run(
            golden,
            requests,
            new EngineOptions { MaxRows = maxRows, PrefillTokens = prefillTokens }
        );
        Assert.Equal(string.Join('\n', alone.Select(run => run.Answers)), together);
        Assert.InRange(trace.PromptTokensComputed, 1, alone.Sum(run => run.Trace.PromptTokensComputed) * 9 / 10);
        Assert.Equal(
            alone.Sum(run => run.Trace.PromptTokensComputed + run.Trace.PromptTokensCopied),
            trace.PromptTokensComputed + trace.PromptTokensCopied
        );
    }

    [Theory]
    [InlineData(false, 100 + 4 * 9, 3 * 100)]
    [InlineData(true, 2 * (100 + 4 * 9), 2 * 3 * 100)]
    public void A_common_system_prompt_is_computed_once_per_adapter(bool contrast, long computed, long copied)
    {
        using var golden = GoldenModel.Llama();
        // 100 tokens in common, 10 of each request's own, the last of which is fed by the first step.
        var requests = Enumerable
            .Range(0, 4)
            .Select(i => new DecodingRequest
            {
                Id = $"{i}",
                Prompt = [.. Enumerable.Range(3, 100), .. Enumerable.Repeat(200 + i, 10)],
                Expert = GoldenModel.Expert,
                Amateur = contrast ? AdapterSelection.Task : null,
                Options = new DecodingOptions { MaxNewTokens = 2 },
            });
        var trace = Run(golden, [.. requests], new EngineOptions()).Trace;
        Assert.Equal((computed, copied), (trace.PromptTokensComputed, trace.PromptTokensCopied));
    }

    [Fact]
    public void Sharing_leaves_no_tensor_behind()
    {
        using var golden = GoldenModel.Llama();
        var before = TensorCount.AfterGarbageCollection();
        golden.Engine().InOrder(Requests(4, 6));
        Assert.Equal(before, Tensor.TotalCount);
    }
}
