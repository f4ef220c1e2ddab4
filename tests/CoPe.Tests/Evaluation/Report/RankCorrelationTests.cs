using CoPe.Evaluation.Report;

namespace CoPe.Tests.Evaluation.Report;

public class RankCorrelationTests
{
    [Fact]
    public void Rising_together_is_one_and_against_each_other_minus_one()
    {
        Assert.Equal(1, RankCorrelation.Spearman([1, 10, 100], [2, 3, 9]), 12);
        Assert.Equal(-1, RankCorrelation.Spearman([1, 10, 100], [9, 3, 2]), 12);
    }

    [Fact]
    public void Ties_share_their_mean_rank()
    {
        // Ranks of x: 0, 1.5, 1.5, 3; of y: 0, 1, 2, 3. Covariance sum 4.5, variances 4.5 and 5: 4.5 / sqrt(22.5) = 0.9486833.
        Assert.Equal(0.9486832980505138, RankCorrelation.Spearman([1, 2, 2, 3], [1, 2, 3, 4]), 12);
    }

    [Fact]
    public void Constant_or_too_few_values_have_none()
    {
        Assert.Equal(double.NaN, RankCorrelation.Spearman([1, 1, 1], [1, 2, 3]));
        Assert.Equal(double.NaN, RankCorrelation.Spearman([1, 2], [1, 2]));
    }
}
