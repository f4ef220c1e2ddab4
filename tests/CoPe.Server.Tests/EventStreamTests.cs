using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;

namespace CoPe.Server.Tests;

public sealed class EventStreamTests
{
    [Fact]
    public async Task Hanging_up_while_an_element_is_awaited_ends_as_cancelled_once_the_elements_have_ended()
    {
        using var hangUp = new CancellationTokenSource();
        var ending = new TaskCompletionSource();
        var stream = new EventStream(
            new DefaultHttpContext { RequestAborted = hangUp.Token },
            Timeout.InfiniteTimeSpan
        );
        await using var reader = stream.ReadAsync(EndWhenTold(ending.Task), hangUp.Token).GetAsyncEnumerator();
        var awaited = reader.MoveNextAsync().AsTask();

        await hangUp.CancelAsync();
        ending.SetResult();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => awaited);
    }

    /// <summary>Takes a while to notice that nobody waits any more.</summary>
    static async IAsyncEnumerable<int> EndWhenTold(
        Task told,
        [EnumeratorCancellation] CancellationToken cancellation = default
    )
    {
        await told;
        cancellation.ThrowIfCancellationRequested();
        yield return 1;
    }
}
