using CoPe.Runs;

namespace CoPe.Tests.Runs;

public sealed class RunLockTests : IDisposable
{
    readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_run_has_one_process_at_a_time()
    {
        var run = new RunDirectory(folder.At("run"));
        using (RunLock.Take(run))
            Assert.Contains("another process is at work in", Assert.Throws<RunException>(() => RunLock.Take(run)).Message, StringComparison.Ordinal);

        RunLock.Take(run).Dispose();
    }

    [Fact]
    public void A_folder_that_cannot_be_made_is_named() =>
        Assert.Contains("cannot be written", Assert.Throws<RunException>(() => RunLock.Take(new(folder.Write("file", "")))).Message, StringComparison.Ordinal);
}
