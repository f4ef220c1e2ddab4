using CoPe.Kernels.Threads;

namespace CoPe.Tests.Kernels.Threads;

public class WorkerTeamTests
{
    [Theory]
    [InlineData(1, 5)]
    [InlineData(2, 1)]
    [InlineData(2, 1000)]
    [InlineData(5, 64)]
    public void Every_chunk_is_run_once_with_any_number_of_threads(int threads, int pieces)
    {
        for (var call = 0; call < 200; call++)
        {
            var done = new int[pieces];
            WorkerTeam.Run(threads, pieces, piece => Interlocked.Increment(ref done[piece]));
            Assert.All(done, times => Assert.Equal(1, times));
        }
    }

    [Fact]
    public void Concurrent_and_nested_calls_do_not_deadlock()
    {
        var sums = new long[4];
        var callers = Enumerable
            .Range(0, 4)
            .Select(caller => new Thread(() =>
            {
                for (var call = 0; call < 100; call++)
                {
                    WorkerTeam.Run(2, 8, _ => WorkerTeam.Run(2, 3, piece => Interlocked.Add(ref sums[caller], piece)));
                }
            }))
            .ToList();
        callers.ForEach(thread => thread.Start());
        callers.ForEach(thread => thread.Join());
        Assert.All(sums, sum => Assert.Equal(100 * 8 * 3, sum));
    }
}

[Collection("torch")]
public class RowPartitionTests
{
    [Theory]
    [InlineData(1, 64, 2)]
    [InlineData(7, 1_000_000, 2)] // a row larger than a piece
    [InlineData(128, 1792, 2)]
    [InlineData(898, 1792, 3)]
    [InlineData(151_936, 1792, 2)]
    public void Chunks_cover_all_rows_once_and_begin_at_multiples_of_four(int rows, long bytesPerRow, int threads)
    {
        var pieces = CollectChunks(rows, bytesPerRow, threads);
        Assert.Equal(0, pieces[0].First);
        Assert.Equal(rows, pieces[^1].End);
        Assert.All(pieces.Zip(pieces.Skip(1)), pair => Assert.Equal(pair.First.End, pair.Second.First));
        Assert.All(pieces, piece => Assert.True(piece.End > piece.First && piece.First % 4 == 0));
    }

    [Fact]
    public void Threads_get_equally_many_chunks_and_a_small_matrix_is_one_chunk()
    {
        Assert.Single(CollectChunks(16, 1792, 2));
        Assert.Equal(2, CollectChunks(128, 1792, 2).Count);
        Assert.Equal(2, CollectChunks(256, 4096, 2).Count); // 1 MB
        Assert.Equal(4, CollectChunks(260, 4096, 2).Count);
        Assert.InRange(CollectChunks(1000, 4096, 2).Max(piece => piece.End - piece.First), 124, 128); // 512 kB
    }

    static List<(int First, int End)> CollectChunks(int rows, long bytesPerRow, int threads)
    {
        List<(int First, int End)> pieces = [];
        RowPartition.Run(
            rows,
            bytesPerRow,
            threads,
            (first, end) =>
            {
                lock (pieces)
                {
                    pieces.Add((first, end));
                }
            }
        );
        return [.. pieces.Order()];
    }
}
