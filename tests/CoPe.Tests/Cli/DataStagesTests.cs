using CoPe.Cli;
using CoPe.Cli.Display;
using CoPe.Runs;

namespace CoPe.Tests.Cli;

public sealed class DataStagesTests : IDisposable
{
    readonly StringWriter error = new();

    public void Dispose() => error.Dispose();

    CommandHost Host(TimeProvider time) => new() { Out = TextWriter.Null, Error = error, Roots = [Path.GetTempPath()], Time = time };

    static StageProgress Of(string stage, long done) => new() { Stage = stage, Done = done, Total = 3, Unit = "MB of mails.csv" };

    static int Work(IProgress<StageProgress> progress)
    {
        progress.Report(Of("read", 1));
        progress.Report(Of("read", 2));
        progress.Report(Of("write", 3));
        return 7;
    }

    [Fact]
    public void Long_work_tells_where_each_stage_begins_stands_and_ends()
    {
        Assert.Equal(7, DataStages.Show(Host(new Steps(TimeSpan.FromSeconds(3))), ["read", "write"], Work));

        Assert.Contains("read: begins", error.ToString(), StringComparison.Ordinal);
        Assert.Contains("read: 2 of 3 MB of mails.csv", error.ToString(), StringComparison.Ordinal);
        Assert.Contains("read: done in", error.ToString(), StringComparison.Ordinal);
        Assert.Contains("write: done in", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Work_that_is_soon_done_says_nothing()
    {
        DataStages.Show(Host(new Steps(TimeSpan.Zero)), ["read", "write"], Work);

        Assert.Empty(error.ToString());
    }

    [Fact]
    public void A_stage_that_fails_is_said_to_have_stopped()
    {
        Assert.Throws<IOException>(() => DataStages.Show<int>(Host(new Steps(TimeSpan.FromSeconds(3))), ["read"], progress =>
        {
            progress.Report(Of("read", 1));
            throw new IOException("gone");
        }));

        Assert.Contains("read: stopped after", error.ToString(), StringComparison.Ordinal);
    }

    /// <summary>A clock that goes on by a step each time it is looked at.</summary>
    sealed class Steps(TimeSpan step) : TimeProvider
    {
        long now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => now += step.Ticks;
    }
}
