namespace CoPe.Cli.Tests.Erasure;

/// <summary>An erasure that failed on its way is repeated.</summary>
public sealed class InterruptedErasureTests : IDisposable
{
    readonly HandWrittenRuns _runs = new();

    public void Dispose() => _runs.Dispose();

    [Fact]
    public void Whichever_file_operation_fails_repeating_the_erasure_ends_like_an_uninterrupted_one()
    {
        _runs.Run("whole");
        var (failing, hasFailed) = (0, true);
        while (hasFailed)
        {
            failing++;
            _runs.WriteData();
            _runs.Copy("whole", "run");
            ToyCommands.FailOperation(failing);
            hasFailed = _runs.Cope("user", "forget", "run", "u1", "--data") != 0;
            AtomicFile.BeforeOperation = null;
            if (hasFailed && File.Exists(_runs.At("run").PendingErasure))
            {
                Assert.Equal(1, _runs.Cope("run", "--run", "run"));
                Assert.Contains("repeat 'cope user forget run USER'", _runs.Error, StringComparison.Ordinal);
                Assert.Equal(0, _runs.Cope("status", "--run", "run"));
                Assert.DoesNotContain(" complete", _runs.Output, StringComparison.Ordinal);
            }

            // Where the last flush alone failed, there is nothing left to repeat.
            var isLeft =
                File.Exists(_runs.At("run").PendingErasure) || Directory.Exists(_runs.At("run").SftAdapter("u1"));
            if (hasFailed && isLeft)
            {
                _runs.Forget("run", "u1", "--data");
            }

            _runs.AssertHolds("run", "u2", "u3");
            Assert.DoesNotContain(
                "of u1",
                File.ReadAllText(_runs.Users) + File.ReadAllText(_runs.Labels),
                StringComparison.Ordinal
            );
        }

        Assert.True(failing > 20, $"only {failing} operations");
    }

    [Theory]
    [InlineData("run", "--run", "run")]
    [InlineData("chat", "run", "--user", "u2")]
    [InlineData("write", "run", "Write a headline")]
    [InlineData("export", "run", "--zip", "answers.zip")]
    [InlineData("compare", "run", "whole")]
    public void Nothing_reads_a_run_whose_erasure_was_interrupted(params string[] command)
    {
        _runs.Run("whole");
        _runs.Copy("whole", "run");
        Interrupt();

        Assert.Equal(1, _runs.Cope(command));
        Assert.Contains("repeat 'cope user forget run USER'", _runs.Error, StringComparison.Ordinal);
        Assert.Equal(0, _runs.Cope("status", "--run", "run"));
        Assert.Contains("repeat 'cope user forget run USER'", _runs.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(" complete", _runs.Output, StringComparison.Ordinal);

        _runs.Forget("run", "u1");
        _runs.AssertHolds("run", "u2", "u3");
    }

    /// <summary>Forgets u1, and fails before the adapter is removed.</summary>
    void Interrupt()
    {
        AtomicFile.BeforeOperation = operation =>
        {
            if (operation.EndsWith(Path.Combine("sft", "u1"), StringComparison.Ordinal))
            {
                throw new IOException("read-only");
            }
        };
        Assert.Equal(1, _runs.Cope("user", "forget", "run", "u1"));
        AtomicFile.BeforeOperation = null;
        Assert.True(Directory.Exists(_runs.At("run").SftAdapter("u1")));
    }

    [Fact]
    public void Erasing_another_user_after_an_interrupted_erasure_finishes_both()
    {
        _runs.Run("run");
        Interrupt();

        _runs.Forget("run", "u2");

        _runs.AssertHolds("run", "u3");
    }
}
