using System.Text.Json;
using CoPe.Experiments.Negatives;
using CoPe.Testing;

namespace CoPe.Experiments.Tests.Negatives;

public class NegativeSelectorTests
{
    // Rewards as sums: -2, 1, -3; per token: -1, 1/4, -3/10.
    static readonly CandidateScore[] Scores = [new(-12, -10, 2), new(-9, -10, 4), new(-33, -30, 10)];

    [Fact]
    public void The_lowest_implicit_reward_is_rejected_and_min_is_the_highest()
    {
        Assert.Equal(2, NegativeSelector.Select(Scores));
        Assert.Equal(1, NegativeSelector.Select(Scores, NegativeSelection.Min));
    }

    [Fact]
    public void Per_token_a_long_text_loses_less()
    {
        Assert.Equal(0, NegativeSelector.Select(Scores, reward: RewardKind.Mean));
        Assert.Equal(1, NegativeSelector.Select(Scores, NegativeSelection.Min, RewardKind.Mean));
    }

    [Fact]
    public void A_random_one_is_any_of_them_by_the_seed_whatever_its_reward()
    {
        int[] chosen =
        [
            .. Enumerable
                .Range(0, 300)
                .Select(item =>
                    NegativeSelector.Select(
                        Scores,
                        NegativeSelection.Random,
                        seed: SeedDerivation.DeriveForItem(0, "ann", $"{item}")
                    )
                ),
        ];
        Assert.All(Enumerable.Range(0, 3), index => Assert.InRange(chosen.Count(one => one == index), 70, 130));
        Assert.Equal(1, NegativeSelector.Select(Scores, NegativeSelection.Random, seed: 4));
        Assert.Equal(0, NegativeSelector.Select([Scores[1]], NegativeSelection.Random, seed: long.MaxValue));
        Assert.Equal(1, NegativeSelector.Select(Scores[..2], NegativeSelection.Random, seed: -1));
    }

    [Fact]
    public void Of_equals_the_first_is_rejected() => Assert.Equal(0, NegativeSelector.Select([Scores[0], Scores[0]]));

    [Fact]
    public void No_candidate_is_an_error() => Assert.Throws<ArgumentException>(() => NegativeSelector.Select([]));

    [Fact]
    public void The_references_choices_follow_from_its_scores()
    {
        foreach (var path in GoldenFolders.Entries("scores", "*.json"))
        {
            foreach (
                var golden in JsonDocument
                    .Parse(File.ReadAllBytes(path))
                    .RootElement.GetProperty("cases")
                    .EnumerateArray()
            )
            {
                var scores = golden
                    .GetProperty("OPPU_scores")
                    .EnumerateArray()
                    .Zip(
                        golden.GetProperty("base_scores").EnumerateArray(),
                        (user, task) => new CandidateScore(user.GetDouble(), task.GetDouble(), 1)
                    )
                    .ToList();
                Assert.Equal(golden.GetProperty("best_idx_max").GetInt32(), NegativeSelector.Select(scores));
                Assert.Equal(
                    golden.GetProperty("best_idx_min").GetInt32(),
                    NegativeSelector.Select(scores, NegativeSelection.Min)
                );
            }
        }
    }
}

public class RewardRankTests
{
    [Fact]
    public void Own_text_wins_against_lower_rewards_and_half_against_equals()
    {
        Assert.Equal(2.0 / 3, RewardRank.Compute(0.5, [0.25, 0.75, -1]));
        Assert.Equal(0.5, RewardRank.Compute(0.5, [0.5]));
        Assert.Null(RewardRank.Compute(0.5, []));
    }
}
