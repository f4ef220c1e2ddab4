using CoPe.Evaluation.Report;
using CoPe.Evaluation.Report.Plots;

namespace CoPe.Tests.Evaluation.Report.Plots;

public class CurveLineTests
{
    [Fact]
    public void Few_points_are_not_smoothed()
    {
        var points = Points(CurveLine.SmoothedFrom - 1, index => index % 2);
        Assert.Same(points, CurveLine.Smooth(points));
    }

    [Fact]
    public void Smoothing_is_the_mean_of_the_window_and_of_what_exists_of_it_at_the_ends()
    {
        // 24 points: reach 1, window 3. Values 0, 3, 6, ...: inner means stay, the first is (0 + 3) / 2, the last (66 + 69) / 2.
        var smooth = CurveLine.Smooth(Points(24, index => 3 * index));
        Assert.Equal(1.5, smooth[0].Value, 12);
        Assert.Equal(30, smooth[10].Value, 12);
        Assert.Equal(67.5, smooth[^1].Value, 12);
    }

    [Fact]
    public void Thinning_keeps_the_lowest_and_the_highest_point()
    {
        var thin = CurveLine.Thin(Points(10_000, index => index == 777 ? 50 : index == 5001 ? -50 : Math.Sin(index)));
        Assert.InRange(thin.Count, 100, 700);
        Assert.Equal(50, thin.Max(point => point.Value));
        Assert.Equal(-50, thin.Min(point => point.Value));
        Assert.Equal(thin.OrderBy(point => point.Step), thin);
    }

    private static CurvePoint[] Points(int count, Func<int, double> value) =>
        [.. Enumerable.Range(0, count).Select(index => new CurvePoint(index, value(index)))];
}
