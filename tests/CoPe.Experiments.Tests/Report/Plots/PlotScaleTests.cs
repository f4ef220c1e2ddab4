using CoPe.Experiments.Report;
using CoPe.Experiments.Report.Plots;

namespace CoPe.Experiments.Tests.Report.Plots;

public class PlotScaleTests
{
    [Fact]
    public void A_round_scale_ends_at_round_numbers_and_marks_them()
    {
        // 0.013 .. 0.187 in about 4 steps: step 0.05, so from 0 to 0.2.
        var scale = PlotScale.Round(0.013, 0.187, from: 0, to: 100);
        Assert.Equal(0, scale.Min, 12);
        Assert.Equal(0.2, scale.Max, 12);
        Assert.Equal(["0", "0.05", "0.1", "0.15", "0.2"], scale.Ticks().Select(tick => tick.Label));
        Assert.Equal(50, scale.Map(0.1), 9);
    }

    [Fact]
    public void Negative_labels_have_a_minus_sign_and_zero_has_none() =>
        Assert.Equal(
            ["−1", "−0.5", "0", "0.5", "1"],
            PlotScale.Round(-1, 1, 100, 0).Ticks().Select(tick => tick.Label)
        );

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(-3)]
    public void A_single_value_gets_room_on_both_sides(double value)
    {
        var scale = PlotScale.Round(value, value, 0, 100);
        Assert.True(scale.Min < value && value < scale.Max);
    }

    [Fact]
    public void Scales_of_integers_mark_no_fractions() =>
        Assert.All(
            (PlotScale.Round(1, 3, 0, 100) with { IntegersOnly = true }).Ticks(),
            tick => Assert.Equal(Math.Round(tick.Value), tick.Value)
        );

    [Fact]
    public void A_logarithmic_scale_gives_equal_ratios_equal_lengths()
    {
        var scale = new PlotScale
        {
            Min = 1,
            Max = 100,
            From = 0,
            To = 200,
            Logarithmic = true,
        };
        Assert.Equal(100, scale.Map(10), 9);
        Assert.Equal(["1", "2", "5", "10", "20", "50", "100"], scale.Ticks().Select(tick => tick.Label));
    }
}

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
        // 24 points: reach 1, window 3. Values 0, 3, 6, ...: inner means stay, the first is (0 + 3) / 2, the last (66 +
        // 69) / 2.
        var smooth = CurveLine.Smooth(Points(24, index => 3 * index));
        Assert.Equal(1.5, smooth[0].Value, 12);
        Assert.Equal(30, smooth[10].Value, 12);
        Assert.Equal(67.5, smooth[^1].Value, 12);
    }

    [Fact]
    public void Thinning_keeps_the_lowest_and_the_highest_point()
    {
        var thin = CurveLine.Thin(
            Points(
                10_000,
                index =>
                    index == 777 ? 50
                    : index == 5001 ? -50
                    : Math.Sin(index)
            )
        );
        Assert.InRange(thin.Count, 100, 700);
        Assert.Equal(50, thin.Max(point => point.Value));
        Assert.Equal(-50, thin.Min(point => point.Value));
        Assert.Equal(thin.OrderBy(point => point.Step), thin);
    }

    static CurvePoint[] Points(int count, Func<int, double> value) =>
        [.. Enumerable.Range(0, count).Select(index => new CurvePoint(index, value(index)))];
}
