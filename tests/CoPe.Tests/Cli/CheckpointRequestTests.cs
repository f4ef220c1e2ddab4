using CoPe.Cli;
using CoPe.Runs;

namespace CoPe.Tests.Cli;

public sealed class CheckpointRequestTests : IDisposable
{
    readonly TemporaryFolder folder = new();
    readonly ByHand time = new();

    RunDirectory Run => new(folder.Path);

    [Fact]
    public void The_file_asks_for_a_stop_and_is_taken_away()
    {
        using var request = new CheckpointRequest(Run, time, CancellationToken.None);
        time.Tick();
        Assert.False(request.Token.IsCancellationRequested);
        File.WriteAllText(Run.CheckpointNow, "");
        time.Tick();
        Assert.True(request.Token.IsCancellationRequested);
        Assert.False(File.Exists(Run.CheckpointNow));
    }

    [Fact]
    public void A_file_from_before_stops_nothing()
    {
        File.WriteAllText(Run.CheckpointNow, "");
        using var request = new CheckpointRequest(Run, time, CancellationToken.None);
        time.Tick();
        Assert.False(request.Token.IsCancellationRequested);
    }

    [Fact]
    public void A_signal_passes_through()
    {
        using var signal = new CancellationTokenSource();
        using var request = new CheckpointRequest(Run, time, signal.Token);
        signal.Cancel();
        Assert.True(request.Token.IsCancellationRequested);
    }

    public void Dispose() => folder.Dispose();

    /// <summary>A clock whose timer goes off when the test says so.</summary>
    sealed class ByHand : TimeProvider, ITimer
    {
        public Action Tick { get; private set; } = () => { };

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Tick = () => callback(state);
            return this;
        }

        public bool Change(TimeSpan dueTime, TimeSpan period) => true;

        public void Dispose() => Tick = () => { };

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
