using CoPe.Kernels.Threads;

namespace CoPe.Tests.Kernels.Threads;

public class WorkerTeamTests
{
    [Theory]
    [InlineData(1, 5)]
    [InlineData(2, 1)]
    [InlineData(2, 1000)]
    [InlineData(5, 64)]
    public void Every_chunk_is_run_once_with_any_number_of_threads(int threads, int chunks)
    {
        for (var call = 0; call < 200; call++)
        {
            var done = new int[chunks];
            WorkerTeam.Run(threads, chunks, chunk => Interlocked.Increment(ref done[chunk]));
            Assert.All(done, times => Assert.Equal(1, times));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void What_a_chunk_throws_reaches_the_caller_and_leaves_the_team_usable(int threads)
    {
        for (var call = 0; call < 50; call++)
        {
            var error = Assert.Throws<InvalidOperationException>(() =>
                WorkerTeam.Run(
                    threads,
                    100,
                    chunk =>
                    {
                        if (chunk == 60)
                        {
                            throw new InvalidOperationException($"chunk {chunk}");
                        }
                    }
                )
            );
            Assert.Equal("chunk 60", error.Message);

            var runs = 0;
            WorkerTeam.Run(threads, 100, _ => Interlocked.Increment(ref runs));
            Assert.Equal(100, runs);
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
                    WorkerTeam.Run(2, 8, _ => WorkerTeam.Run(2, 3, chunk => Interlocked.Add(ref sums[caller], chunk)));
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
    [InlineData(7, 1_000_000, 2)] // a row larger than a chunk
    [InlineData(128, 1792, 2)]
    [InlineData(898, 1792, 3)]
    [InlineData(151_936, 1792, 2)]
    public void Chunks_cover_all_rows_once_and_begin_at_multiples_of_four(int rows, long bytesPerRow, int threads)
    {
        var chunks = CollectChunks(rows, bytesPerRow, threads);
        Assert.Equal(0, chunks[0].First);
        Assert.Equal(rows, chunks[^1].End);
        Assert.All(chunks.Zip(chunks.Skip(1)), pair => Assert.Equal(pair.First.End, pair.Second.First));
        Assert.All(chunks, chunk => Assert.True(chunk.End > chunk.First && chunk.First % 4 == 0));
    }

    [Fact]
    public void Threads_get_equally_many_chunks_and_a_small_matrix_is_one_chunk()
    {
        Assert.Single(CollectChunks(16, 1792, 2));
        Assert.Equal(2, CollectChunks(128, 1792, 2).Count);
        Assert.Equal(2, CollectChunks(256, 4096, 2).Count); // 1 MB
        Assert.Equal(4, CollectChunks(260, 4096, 2).Count);
        Assert.InRange(CollectChunks(1000, 4096, 2).Max(chunk => chunk.End - chunk.First), 124, 128); // 512 kB
    }

    static List<(int First, int End)> CollectChunks(int rows, long bytesPerRow, int threads)
    {
        List<(int First, int End)> chunks = [];
        RowPartition.Run(
            rows,
            bytesPerRow,
            threads,
            (first, end) =>
            {
                lock (chunks)
                {
                    chunks.Add((first, end));
                }
            }
        );
        return [.. chunks.Order()];
    }
}
