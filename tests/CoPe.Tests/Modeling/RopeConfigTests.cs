using CoPe.Modeling;

namespace CoPe.Tests.Modeling;

public class RopeConfigTests
{
    [Fact]
    public void Frequencies_fall_by_powers_of_theta() =>
        // Theta^(-2 i / 8).
        Assert.Equal([1f, 0.1f, 0.01f, 0.001f], new RopeConfig { Theta = 10000 }.ComputeFrequencies(8));

    [Fact]
    public void Linear_scaling_divides_all() =>
        Assert.Equal(
            [0.5f, 0.05f, 0.005f, 0.0005f],
            new RopeConfig
            {
                Theta = 10000,
                Scaling = RopeScaling.Linear,
                Factor = 2,
            }.ComputeFrequencies(8)
        );

    [Fact]
    public void Llama_3_keeps_short_waves_stretches_long_ones_and_blends_between()
    {
        // Turns within 400 positions: 63.7, 6.37, 0.637, 0.0637. More than 10: kept. Less than 1: divided by 8.
        // Between: keep = (6.366 - 1) / (10 - 1) = 0.5962, so 0.1 * (0.4038 / 8 + 0.5962) = 0.06467.
        var rope = new RopeConfig
        {
            Scaling = RopeScaling.Llama3,
            Factor = 8,
            LowFrequencyFactor = 1,
            HighFrequencyFactor = 10,
            OriginalMaxPositions = 400,
        };
        var frequencies = rope.ComputeFrequencies(8);
        Assert.Equal(1f, frequencies[0]);
        Assert.Equal(0.06467f, frequencies[1], 1e-5f);
        Assert.Equal(0.01f / 8, frequencies[2]);
        Assert.Equal(0.001f / 8, frequencies[3]);
    }
}
