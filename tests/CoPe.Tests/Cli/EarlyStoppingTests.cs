using CoPe.Runs;
using CoPe.Training;

namespace CoPe.Tests.Cli;

/// <summary>Whole trainings that hold out the last of each history.</summary>
[Collection("torch")]
public sealed class EarlyStoppingTests(TinyWorld world) : IClassFixture<TinyWorld>, IDisposable
{
    static readonly string[] Stopping =
    [
        "--set", "sft.early_stopping.items=1", "--set", "sft.early_stopping.patience=1", "--set", "sft.early_stopping.every_steps=1", "--set", "sft.epochs=6", "--set", "sft.learning_rate=0.3",
        "--set", "dpo.early_stopping.items=1", "--set", "dpo.epochs=2",
    ];

    public void Dispose() => AtomicFile.BeforeOperation = null;

    int Run(string run, CancellationToken cancellation = default) => world.Cope(cancellation, ["run", "recipe.yaml", "--run", run, .. Stopping]);

    IEnumerable<MetricRow> Metrics(string run, string stage) => JsonLines.Read<MetricRow>(world.At(run).Metrics(stage));

    [Fact]
    public void Each_user_is_measured_by_the_last_of_his_history_and_stops_by_himself()
    {
        Assert.True(Run("stopping") == 0, world.Error);

        foreach (var user in (string[])["1", "2"])
        {
            var sft = Metrics("stopping", "train sft").Where(row => row.User == user).ToArray();
            Assert.Equal(0, sft.First(row => row.Figures.ContainsKey("development loss")).Step);
            Assert.True(sft.Max(row => row.Step) < 6, $"user {user} took {sft.Max(row => row.Step)} steps of 6 with a rate far too high"); // two examples learnt from, one step an epoch
            Assert.Contains(Metrics("stopping", "train dpo"), row => row.User == user && row.Figures.ContainsKey("development loss"));
        }

        Assert.Contains("held out", File.ReadAllText(world.At("stopping").Report), StringComparison.Ordinal);
        Assert.NotEqual(world.Bytes("undisturbed"), world.Bytes("stopping"));
    }

    [Fact]
    public void Stopped_again_and_again_it_ends_with_the_same_bytes()
    {
        Assert.True(Run("whole") == 0, world.Error);
        var code = 130;
        for (var attempt = 1; code == 130 && attempt < 60; attempt++)
        {
            using var source = new CancellationTokenSource();
            var left = 3 + (4 * attempt);
            AtomicFile.BeforeOperation = _ => { if (--left == 0) source.Cancel(); };
            code = Run("again", source.Token);
        }

        Assert.Equal(0, code);
        Assert.Equal(world.Bytes("whole"), world.Bytes("again"));
    }
}
