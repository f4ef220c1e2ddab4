using CoPe.Kernels;

namespace CoPe.Tests.Kernels;

public class KernelTeamTests
{
    [Theory]
    [InlineData(1, 5)]
    [InlineData(2, 1)]
    [InlineData(2, 1000)]
    [InlineData(5, 64)]
    public void Every_piece_is_done_once_however_many_threads_there_are(int threads, int pieces)
    {
        for (var call = 0; call < 200; call++)
        {
            var done = new int[pieces];
            KernelTeam.Run(threads, pieces, piece => Interlocked.Increment(ref done[piece]));
            Assert.All(done, times => Assert.Equal(1, times));
        }
    }

    [Fact]
    public void Callers_on_several_threads_and_calls_inside_a_piece_do_not_wait_for_each_other()
    {
        var sums = new long[4];
        var callers = Enumerable.Range(0, 4).Select(caller => new Thread(() =>
        {
            for (var call = 0; call < 100; call++)
                KernelTeam.Run(2, 8, _ => KernelTeam.Run(2, 3, piece => Interlocked.Add(ref sums[caller], piece)));
        })).ToList();
        callers.ForEach(thread => thread.Start());
        callers.ForEach(thread => thread.Join());
        Assert.All(sums, sum => Assert.Equal(100 * 8 * 3, sum));
    }
}
