using CoPe.Cli.Sessions;
using CoPe.Experiments.Runs;
using CoPe.Testing;

namespace CoPe.Cli.Tests;

public sealed class CheckpointFileWatcherTests : IDisposable
{
    readonly TemporaryFolder _folder = new();
    readonly ManualTimeProvider _time = new();

    RunDirectory Run => new(_folder.Path);

    [Fact]
    public void The_file_requests_a_stop_and_is_deleted()
    {
        using var request = new CheckpointFileWatcher(Run, _time, CancellationToken.None);
        _time.Tick();
        Assert.False(request.Token.IsCancellationRequested);
        File.WriteAllText(Run.CheckpointNow, "");
        _time.Tick();
        Assert.True(request.Token.IsCancellationRequested);
        Assert.False(File.Exists(Run.CheckpointNow));
    }

    [Fact]
    public void A_file_from_before_stops_nothing()
    {
        File.WriteAllText(Run.CheckpointNow, "");
        using var request = new CheckpointFileWatcher(Run, _time, CancellationToken.None);
        _time.Tick();
        Assert.False(request.Token.IsCancellationRequested);
    }

    [Fact]
    public void A_signal_passes_through()
    {
        using var signal = new CancellationTokenSource();
        using var request = new CheckpointFileWatcher(Run, _time, signal.Token);
        signal.Cancel();
        Assert.True(request.Token.IsCancellationRequested);
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>A clock whose timer goes off when the test says so.</summary>
    sealed class ManualTimeProvider : TimeProvider, ITimer
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
