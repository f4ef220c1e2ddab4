using CoPe.Adapters;
using CoPe.Modeling;
using CoPe.Scoring;
using CoPe.Testing;
using static TorchSharp.torch;

namespace CoPe.Tests.Modeling;

/// <summary>Passes that continue from keys and values computed before.</summary>
[Collection("torch")]
public class CachedPrefixTests
{
    static readonly IReadOnlyList<int>[] Invocation =
    [
        [7, 3],
    ];

    static readonly LoraConfig Answer = new()
    {
        Rank = 3,
        Alpha = 4,
        TargetModules = ["all-linear"],
        Dropout = 0.3,
        Active = ActivePositions.Answer,
        InvocationTokens = Invocation[0],
    };

    /// <summary>Prompts of several lengths; rows of several responses, one of which holds the tokens itself.</summary>
    static readonly BranchedPrompt[] Branched =
    [
        BranchedPrompt.Create(
            [1, 5, 9, 2, 7, 3, 11],
            [
                [12, 13, 4],
                [6],
            ],
            Invocation
        ),
        BranchedPrompt.Create(
            [2, 4, 7, 3, 6],
            [
                [8, 9],
                [5, 7, 3, 1],
            ],
            Invocation
        ),
        BranchedPrompt.Create(
            [8, 9, 10, 11, 12, 13, 14, 15],
            [
                [5, 6],
                [4, 4, 4],
            ],
            Invocation
        ),
    ];

    static readonly BranchedPrompt[] Single =
    [
        new([1, 5, 9, 2, 7, 3, 11], [12, 13, 4]),
        new([2, 4, 7, 3, 6], [5, 7, 3, 1]),
        new([8, 9, 10, 11, 12, 13, 14, 15], [5, 6]),
    ];

    [Theory]
    [InlineData(nameof(TinyModels.Plain), true)]
    [InlineData(nameof(TinyModels.Plain), false)]
    [InlineData(nameof(TinyModels.Everything), true)]
    [InlineData(nameof(TinyModels.Everything), false)]
    public void The_rest_of_rows_has_the_logits_and_gradients_of_whole_rows(string name, bool isBranched)
    {
        var rows = isBranched ? Branched : Single;
        using var scope = NewDisposeScope();
        using var model = TinyModels.Random(TinyModels.FromName(name));
        var (whole, wholeGradients) = Compute(model, rows, prefixes: false);
        var (rest, restGradients) = Compute(model, rows, prefixes: true);
        TinyModels.AssertClose(whole, rest, 1e-4);
        foreach (var (expected, actual) in wholeGradients.Zip(restGradients))
        {
            TinyModels.AssertClose(expected, actual, 1e-4 * Math.Max(1, expected.abs().max().item<float>()));
        }
    }

    [Fact]
    public void In_bf16_the_explicit_scores_see_the_prefix()
    {
        using var scope = NewDisposeScope();
        var weights = ModelWeights.Initialize(TinyModels.Plain, 1);
        foreach (var weight in weights.Parameters())
        {
            weight.requires_grad = false;
        }

        using var model = new CausalLm(TinyModels.Plain, weights, ScalarType.BFloat16);
        var (whole, wholeGradients) = Compute(model, Branched, prefixes: false);
        var (rest, restGradients) = Compute(model, Branched, prefixes: true);
        TinyModels.AssertClose(whole, rest, 0.02);
        foreach (var (expected, actual) in wholeGradients.Zip(restGradients))
        {
            TinyModels.AssertClose(expected, actual, 0.05 * Math.Max(0.1, expected.abs().max().item<float>()));
        }
    }

    [Fact]
    public void A_pass_does_not_continue_from_a_cache_and_a_prefix()
    {
        using var model = TinyModels.Random(TinyModels.Plain);
        using KvCache prefix = new(model, 1, 2),
            cache = new(model, 1, 4);
        using var batch = new TokenBatch(TinyModels.Ids(1, 2), positions: [2L, 3]) { Prefix = new([prefix]) };
        Assert.Throws<ArgumentException>(() => model.Forward(batch, null, cache.Slice(0, 1, 4)));
    }

    /// <summary>Logits of the labels, and the gradients of the adapters' factors.</summary>
    static (Tensor Logits, IReadOnlyList<Tensor> Gradients) Compute(
        CausalLm model,
        BranchedPrompt[] rows,
        bool prefixes
    )
    {
        using var prompts = new PrefixCache(1);
        using var task = TinyModels.Adapters(model.Config, 1);
        using var users = TinyModels.Adapters(model.Config, 2, Answer);
        users.RequireGrad(true);
        PromptPrefix[] before = [.. rows.Select(row => PromptPrefix.Create(row, task, Invocation)!)];
        using var lease = prefixes ? prompts.Rent(model, before, isAlone: false) : null;
        using var batch = new PackedBatch(rows, CPU, prefix: lease?.Columns);
        var dropped = AdapterRows.ForRows(users, [0, 1, 1]).WithDropout([1, 2, 3]);
        using var adapters = AdapterRows.All(task).With(dropped);
        var logits = model.ComputeLogits(model.Forward(batch.Tokens, adapters));
        logits.mul(logits).mean().backward();
        return (logits.detach(), [.. users.Parameters().Select(factor => factor.grad!.clone())]);
    }
}
