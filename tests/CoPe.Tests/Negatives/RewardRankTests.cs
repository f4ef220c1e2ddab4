using CoPe.Negatives;

namespace CoPe.Tests.Negatives;

public class RewardRankTests
{
    [Fact]
    public void Own_text_wins_against_lower_rewards_and_half_against_equals()
    {
        Assert.Equal(2.0 / 3, RewardRank.Of(0.5, [0.25, 0.75, -1]));
        Assert.Equal(0.5, RewardRank.Of(0.5, [0.5]));
        Assert.Null(RewardRank.Of(0.5, []));
    }
}
