using System.Diagnostics;
using CoPe.Experiments.Runs;
using CoPe.Testing;

namespace CoPe.Experiments.Tests.Runs;

public sealed class RunLockTests : IDisposable
{
    readonly TemporaryFolder _folder = new();
    readonly RunDirectory _run;

    public RunLockTests() => _run = new(_folder.At("run"));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_run_has_one_process_at_a_time()
    {
        using (RunLock.Acquire(_run))
        {
            Assert.True(RunLock.IsHeld(_run));
            AssertRefused("another process is at work in", () => RunLock.Acquire(_run));
        }

        Assert.False(RunLock.IsHeld(_run));
        RunLock.Acquire(_run).Dispose();
    }

    [Fact]
    public void A_folder_that_cannot_be_made_is_named() =>
        AssertRefused("cannot be written", () => RunLock.Acquire(new(_folder.Write("file", ""))));

    [Fact]
    public void A_process_whose_run_was_renamed_leaves_the_run_at_its_old_path_alone()
    {
        using var moved = RunLock.Acquire(_run);
        AtomicFile.WriteText(_run.Recipe, "mine");
        Directory.Move(_run.Root, _folder.At("elsewhere"));
        using var other = RunLock.Acquire(new(_folder.At("run2")));
        Directory.CreateDirectory(_run.Root);
        File.WriteAllText(_run.Recipe, "theirs");
        File.WriteAllText(_run.Lock, "");

        AssertRefused("was renamed or deleted", moved.ThrowIfLost);
        AssertRefused("was renamed or deleted", () => AtomicFile.WriteText(_run.Recipe, "mine"));
        AssertRefused("was renamed or deleted", () => AtomicFile.WriteFolder(_run.TamAdapter, _ => { }));
        AssertRefused("was renamed or deleted", () => AtomicFile.Remove(_run.Recipe));
        AssertRefused("was renamed or deleted", () => JsonLines.Append(_run.Candidates, [1]));
        Assert.Equal([_run.Lock, _run.Recipe], Directory.GetFileSystemEntries(_run.Root).Order(StringComparer.Ordinal));
        Assert.Equal("theirs", File.ReadAllText(_run.Recipe));
        AtomicFile.WriteText(_folder.At("run2/recipe.yaml"), "another run is not concerned");
    }

    [Fact]
    public void A_process_whose_run_was_deleted_does_not_make_it_again()
    {
        using var held = RunLock.Acquire(_run);
        Directory.Delete(_run.Root, recursive: true);

        AssertRefused("was renamed or deleted", () => AtomicFile.WriteText(_run.Results, "{}"));

        Assert.False(Directory.Exists(_run.Root));
    }

    [Fact]
    public void Once_given_up_a_folder_is_free()
    {
        RunLock.Acquire(_run).Dispose();
        Directory.Move(_run.Root, _folder.At("elsewhere"));

        AtomicFile.WriteText(_run.Recipe, "mine");

        Assert.True(File.Exists(_run.Recipe));
    }

    [Fact]
    public void Where_the_file_system_has_no_locks_a_file_names_the_process()
    {
        using (RunLock.Acquire(_run, (_, _) => false))
        {
            Assert.Equal(
                $"{Environment.MachineName} process {Environment.ProcessId}",
                File.ReadAllText(_run.LockOwner)
            );
            Assert.True(LockOwner.IsAtWork(_run));
            AssertRefused("Its file system had no locks", () => LockOwner.Take(_run));
        }

        Assert.False(File.Exists(_run.LockOwner));
    }

    [Fact]
    public void A_process_of_this_machine_that_is_gone_holds_nothing()
    {
        using var gone = Process.Start("true");
        gone.WaitForExit();
        _folder.Write("run/.lock-owner", $"{Environment.MachineName} process {gone.Id}");

        Assert.False(LockOwner.IsAtWork(_run));
        RunLock.Acquire(_run).Dispose();
        LockOwner.Take(_run).Dispose();
    }

    [Theory]
    [InlineData("another-machine process 1")]
    [InlineData("")]
    public void A_process_of_another_machine_may_be_at_work(string owner)
    {
        _folder.Write("run/.lock-owner", owner);

        Assert.True(LockOwner.IsAtWork(_run));
        AssertRefused("delete " + _run.LockOwner, () => LockOwner.Take(_run));
        AssertRefused("delete " + _run.LockOwner, () => RunLock.Acquire(_run));
    }

    static void AssertRefused(string message, Action action) =>
        Assert.Contains(message, Assert.Throws<RunException>(action).Message, StringComparison.Ordinal);
}
