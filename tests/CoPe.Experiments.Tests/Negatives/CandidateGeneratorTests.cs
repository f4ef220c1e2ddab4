using CoPe.Adapters;
using CoPe.Experiments.Negatives;
using CoPe.Scoring;
using CoPe.Testing;

namespace CoPe.Experiments.Tests.Negatives;

[Collection("torch")]
public class CandidateGeneratorTests
{
    static readonly CandidateItem[] Items =
    [
        .. Enumerable.Range(0, 8).Select(i => new CandidateItem($"u{i % 3}", $"p{i}", [10 + i, 20, 30 + i], "gold")),
    ];

    static readonly NegativesOptions Options = new() { MaxNewTokens = 5 };

    static string Text(IEnumerable<int> ids) => string.Join(' ', ids);

    static List<string> Draw(
        GoldenModel policies,
        IEnumerable<CandidateItem> items,
        Func<IEnumerable<int>, string>? text = null,
        NegativesOptions? options = null
    ) =>
        [
            .. new CandidateGenerator(policies.Engine(), text ?? Text, options ?? Options)
                .Sets(items, seed: 42)
                .Select(set =>
                    $"{set.UserId} {set.ItemId} {set.Dropped}: "
                    + string.Join(" | ", set.Candidates.Select(candidate => candidate.Text))
                )
                .Order(StringComparer.Ordinal),
        ];

    [Fact]
    public void Resuming_or_reordering_the_items_draws_the_same()
    {
        using var policies = GoldenModel.Llama();
        var whole = Draw(policies, Items);
        Assert.Equal(whole, Draw(policies, Items.Reverse()));
        Assert.Equal(
            whole,
            Draw(policies, Items[..3]).Concat(Draw(policies, Items[3..])).Order(StringComparer.Ordinal)
        );
        Assert.All(whole, line => Assert.Equal(3, line.Split(" | ").Distinct().Count()));
    }

    [Fact]
    public void Empty_candidates_and_the_users_own_text_are_drawn_again()
    {
        using var policies = GoldenModel.Llama();
        static string Spoiled(IEnumerable<int> ids) =>
            (ids.First() % 3) switch
            {
                0 => "",
                1 => " gold ",
                _ => Text(ids),
            };
        var sets = new CandidateGenerator(policies.Engine(), Spoiled, Options with { Redraws = 40 })
            .Sets(Items, seed: 42)
            .ToList();
        Assert.Equal(Items.Length, sets.Count);
        Assert.All(sets, set => Assert.Equal(3, set.Candidates.Count));
        Assert.All(sets.SelectMany(set => set.Candidates), candidate => Assert.Equal(2, candidate.TokenIds[0] % 3));
        Assert.Contains(sets, set => set.Dropped > 0);
    }

    [Fact]
    public void Drawing_again_is_bounded_and_the_item_then_comes_without()
    {
        using var policies = GoldenModel.Llama();
        var sets = new CandidateGenerator(policies.Engine(), _ => " ", Options with { Redraws = 2 })
            .Sets(Items[..2], seed: 42)
            .ToList();
        Assert.All(sets, set => Assert.Equal((0, 9), (set.Candidates.Count, set.Dropped)));
        Assert.Equal(2, sets.Count);
    }

    [Fact]
    public void Seeds_tell_users_and_items_apart()
    {
        long[] seeds =
        [
            SeedDerivation.DeriveForItem(1, "a", "b c"),
            SeedDerivation.DeriveForItem(1, "a b", "c"),
            SeedDerivation.DeriveForItem(2, "a", "b c"),
            SeedDerivation.DeriveForItem(1, "a", "b"),
        ];
        Assert.Equal(4, seeds.Distinct().Count());
    }

    [Fact]
    public void Own_texts_and_candidates_are_scored_under_user_and_task_adapters()
    {
        using var policies = GoldenModel.Llama();
        var item = new CandidatesToScore(
            "u",
            "p",
            1,
            [5, 6, 7],
            [8, 9, 2],
            [
                [10, 2],
                [11, 12, 13, 2],
            ]
        );
        var scored = new CandidateScorer(policies.Scorer()).Scores([item, item with { ItemId = "q", UserAdapter = 0 }]);
        var expected = policies
            .Scorer()
            .Scores([
                new ScoringItem(
                    "x",
                    item.Prompt,
                    [item.Candidates[1]],
                    [AdapterSelection.TaskAndUser(1), AdapterSelection.Task]
                ),
            ]);
        Assert.Equal(expected[0].Sum, scored[0].Candidates[1].UserLogProb, 1e-4);
        Assert.Equal(expected[1].Sum, scored[0].Candidates[1].TaskLogProb, 1e-4);
        Assert.Equal(scored[0].Gold.TaskLogProb, scored[1].Gold.TaskLogProb, 1e-4);
        Assert.NotEqual(scored[0].Gold.UserLogProb, scored[1].Gold.UserLogProb, 1e-2);
        Assert.Equal([2, 4], scored[0].Candidates.Select(score => score.Tokens));
    }

    [Fact]
    public void The_references_span_counts_the_prompt_too()
    {
        using var policies = GoldenModel.Llama();
        var item = new CandidatesToScore(
            "u",
            "p",
            1,
            [5, 6, 7],
            [8, 9],
            [
                [10],
            ]
        );
        var scored = new CandidateScorer(policies.Scorer(), RewardSpan.PromptAndResponse).Scores([item])[0];
        var expected = policies
            .Scorer()
            .Scores([
                new ScoringItem(
                    "x",
                    [5],
                    [
                        [6, 7, 8, 9],
                    ],
                    [AdapterSelection.Task]
                ),
            ])[0];
        Assert.Equal(4, scored.Gold.Tokens);
        Assert.Equal(expected.Sum, scored.Gold.TaskLogProb, 1e-4);
    }

    [Fact]
    public void Without_a_prompt_the_references_span_begins_at_the_second_token_of_each_text()
    {
        using var policies = GoldenModel.Llama();
        var item = new CandidatesToScore(
            "u",
            "p",
            1,
            [],
            [8, 9, 2],
            [
                [10, 11],
                [12],
            ]
        );
        var scored = new CandidateScorer(policies.Scorer(), RewardSpan.PromptAndResponse).Scores([
            item,
            item with
            {
                ItemId = "q",
                Prompt = [5],
            },
        ]);
        var expected = policies
            .Scorer()
            .Scores([
                new ScoringItem(
                    "x",
                    [8],
                    [
                        [9, 2],
                    ],
                    [AdapterSelection.TaskAndUser(1), AdapterSelection.Task]
                ),
            ]);
        Assert.Equal(expected[0].Sum, scored[0].Gold.UserLogProb, 1e-4);
        Assert.Equal(expected[1].Sum, scored[0].Gold.TaskLogProb, 1e-4);
        Assert.Equal([1, 0], scored[0].Candidates.Select(score => score.Tokens));
        // The items beside it are scored as ever.
        Assert.Equal([2, 1], scored[1].Candidates.Select(score => score.Tokens));
    }

    [Fact]
    public void Drawing_and_scoring_leak_no_tensor()
    {
        using var policies = GoldenModel.Llama();
        var before = TensorCount.AfterGarbageCollection();
        Draw(policies, Items[..2]);
        Assert.Equal(before, Tensor.TotalCount);
    }
}
