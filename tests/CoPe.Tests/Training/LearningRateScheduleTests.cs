using CoPe.Training;

namespace CoPe.Tests.Training;

public class LearningRateScheduleTests
{
    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 0.5)]
    [InlineData(2, 1)]
    [InlineData(7, 0.5)]
    [InlineData(12, 0)]
    public void Linear_rate_rises_from_zero_and_falls_to_zero(long step, double expected) =>
        Assert.Equal(expected, LinearWarmup.Rate(1, step, warmup: 2, steps: 12), 12);

    [Theory]
    [InlineData(0.1, 12, 2)]
    [InlineData(0.1, 2, 1)]
    [InlineData(0, 12, 0)]
    [InlineData(1, 12, 12)]
    public void Warm_up_is_rounded_up(double ratio, long steps, long expected) =>
        Assert.Equal(expected, LinearWarmup.WarmupSteps(ratio, steps));

    [Theory]
    [InlineData(LearningRateSchedule.Linear)]
    [InlineData(LearningRateSchedule.Cosine)]
    public void No_training_has_only_steps_of_rate_zero(LearningRateSchedule schedule)
    {
        foreach (var ratio in (double[])[0, 0.1, 0.5, 1])
        {
            var options = new TrainingOptions { WarmupRatio = ratio, Schedule = schedule };
            for (var steps = 1L; steps < 20; steps++)
            {
                Assert.Contains(Enumerable.Range(0, (int)steps), step => options.Rate(step, steps) > 0);
            }
            Assert.Equal(options.LearningRate, options.Rate(0, 1));
        }
    }

    [Fact]
    public void A_step_has_no_more_examples_than_there_are()
    {
        var options = new TrainingOptions { BatchSize = 1 << 16, GradientAccumulation = 1 << 16 };
        Assert.Equal(3, options.ExamplesPerStep(3));
        Assert.Equal(1, options.StepsPerEpoch(3));
    }

    [Fact]
    public void Cosine_rate_falls_to_a_tenth()
    {
        Assert.Equal(0.5, CosineWarmup.Rate(1, 0, 2, 12), 12);
        Assert.Equal(1, CosineWarmup.Rate(1, 2, 2, 12), 12);
        Assert.Equal(0.55, CosineWarmup.Rate(1, 7, 2, 12), 12);
        Assert.Equal(0.1, CosineWarmup.Rate(1, 12, 2, 12), 12);
    }

    [Fact]
    public void Steps_round_up_within_each_epoch()
    {
        var options = new TrainingOptions
        {
            BatchSize = 4,
            Epochs = 3,
            GradientAccumulation = 2,
        };
        Assert.Equal(6, options.Steps(9));
        Assert.Equal(0, options.Steps(0));
        Assert.Equal(5, (options with { MaxSteps = 5 }).Steps(9));
    }

    [Fact]
    public void Options_out_of_range_are_refused_by_name()
    {
        Assert.Contains(
            "TrainingOptions.WarmupRatio is 1.5",
            Assert.Throws<ArgumentOutOfRangeException>(() => new TrainingOptions { WarmupRatio = 1.5 }).Message,
            StringComparison.Ordinal
        );
        Assert.Throws<ArgumentOutOfRangeException>(() => new TrainingOptions { BatchSize = 0 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new TrainingOptions { LearningRate = 1.01 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new DpoOptions { Beta = double.NaN });
    }
}
