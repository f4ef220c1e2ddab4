using CoPe.Kernels.Threads;
using static TorchSharp.torch;

namespace CoPe.Tests.Kernels.Threads;

[Collection("torch")]
public class TorchThreadsTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Results_come_in_the_order_of_the_jobs(int workers) =>
        Assert.Equal(
            Enumerable.Range(0, 50).Select(job => job * job),
            TorchThreads.Run(workers, 50, (_, job) => job * job)
        );

    [Fact]
    public void Each_worker_has_one_torch_thread_and_the_caller_keeps_its_own()
    {
        var own = get_num_threads();
        Assert.All(TorchThreads.Run(2, 8, (_, _) => get_num_threads()), threads => Assert.Equal(1, threads));
        Assert.Equal(own, get_num_threads());
    }

    [Fact]
    public void Workers_keep_their_threads_from_call_to_call()
    {
        static int[] Threads()
        {
            var ids = new int[3];
            TorchThreads.RunOnEachWorker(3, worker => ids[worker] = Environment.CurrentManagedThreadId);
            return ids;
        }

        var first = Threads();
        Assert.Equal(3, first.Distinct().Count());
        Assert.Equal(first, Threads());
    }

    [Fact]
    public void Calls_may_overlap_and_nest()
    {
        var ran = 0;
        TorchThreads.RunOnEachWorker(2, _ => TorchThreads.RunOnEachWorker(2, _ => Interlocked.Increment(ref ran)));
        Assert.Equal(4, ran);
    }

    [Fact]
    public void The_first_failure_is_thrown_and_the_other_results_are_disposed_of()
    {
        var alive = 0;
        var error = Assert.Throws<InvalidOperationException>(() =>
            TorchThreads.Run(
                2,
                6,
                (_, job) =>
                    job is 2 or 4
                        ? throw new InvalidOperationException($"job {job}")
                        : new Counted(() => Interlocked.Decrement(ref alive), Interlocked.Increment(ref alive))
            )
        );
        Assert.Equal("job 2", error.Message);
        Assert.Equal(0, alive);
    }

    sealed class Counted(Action end, int number) : IDisposable
    {
        public int Number { get; } = number;

        public void Dispose() => end();
    }
}
