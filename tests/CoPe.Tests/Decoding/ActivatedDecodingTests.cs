using CoPe.Adapters;
using CoPe.Decoding;
using CoPe.Testing;

namespace CoPe.Tests.Decoding;

/// <summary>Users whose adapters act on the answer alone, or everywhere, decoded together.</summary>
[Collection("torch")]
public sealed class ActivatedDecodingTests : IDisposable
{
    static readonly int[] Invocation = [401, 17, 402];

    readonly GoldenModel _golden = GoldenModel.Llama();
    readonly AdapterBank _users;

    /// <summary>Users 0 and 1 act everywhere, 2 and 3 are the same on the answer alone.</summary>
    public ActivatedDecodingTests()
    {
        var config = _golden.Users.Config with { Active = ActivePositions.Answer, InvocationTokens = Invocation };
        using var activated = AdapterBank.Create(_golden.Model.Config, config, [1, 2]);
        activated.CopyFrom(_golden.Users);
        _users = AdapterBank.Stack([_golden.Users, activated]);
    }

    public void Dispose()
    {
        _users.Dispose();
        _golden.Dispose();
    }

    (IReadOnlyList<DecodingResult> Results, DecodingTrace Trace) Run(params IReadOnlyList<DecodingRequest> requests)
    {
        var trace = new DecodingTrace();
        var options = new EngineOptions { Batches = 1, Trace = trace };
        return (new DecodingEngine(_golden.Model, _golden.Task, _users, [2], options).InOrder(requests), trace);
    }

    static int[] Text(Random random, int length) => [.. Enumerable.Range(0, length).Select(_ => random.Next(3, 400))];

    static DecodingRequest Request(int index, IReadOnlyList<int> prompt, int user) =>
        new()
        {
            Id = $"r{index}",
            Prompt = prompt,
            Expert = AdapterSelection.TaskAndUser(user),
            Amateur = AdapterSelection.Task,
            Options = new DecodingOptions { MaxNewTokens = 6 },
        };

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_batch_of_both_kinds_gives_each_what_it_gets_alone(int seed)
    {
        var random = new Random(seed);
        int[][] beginnings = [Text(random, 70), [.. Text(random, 40), .. Invocation, .. Text(random, 30)]];
        var requests = Enumerable
            .Range(0, 16)
            .Select(i =>
            {
                var ending = random.Next(4) > 0 ? Invocation : [5];
                var prompt = random.Next(3) switch
                {
                    0 => beginnings[0],
                    1 => beginnings[1],
                    _ => [.. beginnings[1], .. Text(random, random.Next(1, 9))],
                };
                return Request(i, [.. prompt, .. ending, .. Text(random, random.Next(0, 3))], random.Next(4));
            })
            .ToList();
        var alone = requests.Select(request => Run(request).Results[0].Ids);
        Assert.Equal(alone, Run(requests).Results.Select(result => result.Ids));
    }

    [Fact]
    public void A_prompt_without_the_invocation_gives_the_answer_of_no_user()
    {
        var prompt = Text(new Random(1), 20);
        var plain = Request(0, prompt, 2) with { Amateur = null };
        var task = plain with { Id = "task", Expert = AdapterSelection.Task };
        var results = Run(plain, task, plain with { Id = "acts", Prompt = [.. prompt[..^3], .. Invocation] }).Results;
        Assert.Equal(results[1].Ids, results[0].Ids);
        Assert.NotEqual(results[1].Ids, results[2].Ids);
    }

    [Fact]
    public void Users_who_are_asked_the_same_share_the_prompt_with_each_other_and_with_the_amateur()
    {
        int[] prompt = [.. Text(new Random(2), 253), .. Invocation];
        var (results, trace) = Run([.. Enumerable.Range(0, 16).Select(i => Request(i, prompt, 2 + i % 2))]);
        Assert.Equal(2, results.Select(result => string.Join(' ', result.Ids)).Distinct().Count());
        // The prompt once, and what comes before the last token of the header for both users.
        Assert.Equal(255 + 2 * 2, trace.PromptTokensComputed);
        Assert.Equal(32 * 255, trace.PromptTokensComputed + trace.PromptTokensCopied);
    }
}
