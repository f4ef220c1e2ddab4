using CoPe.Evaluation.Report.Plots;

namespace CoPe.Tests.Evaluation.Report.Plots;

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
        Assert.Equal(["−1", "−0.5", "0", "0.5", "1"], PlotScale.Round(-1, 1, 100, 0).Ticks().Select(tick => tick.Label));

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
    public void Whole_scales_mark_no_fractions() =>
        Assert.All((PlotScale.Round(1, 3, 0, 100) with { Whole = true }).Ticks(), tick => Assert.Equal(Math.Round(tick.Value), tick.Value));

    [Fact]
    public void A_logarithmic_scale_gives_equal_ratios_equal_lengths()
    {
        var scale = new PlotScale { Min = 1, Max = 100, From = 0, To = 200, Logarithmic = true };
        Assert.Equal(100, scale.Map(10), 9);
        Assert.Equal(["1", "2", "5", "10", "20", "50", "100"], scale.Ticks().Select(tick => tick.Label));
    }
}
