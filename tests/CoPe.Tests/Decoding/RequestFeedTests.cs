using System.Collections.Concurrent;
using CoPe.Decoding;
using CoPe.Testing;

namespace CoPe.Tests.Decoding;

/// <summary>Requests that come while others are answered.</summary>
[Collection("torch")]
public class RequestFeedTests
{
    [Fact]
    public void Rows_that_run_do_not_wait_for_a_feed_that_blocks()
    {
        using var golden = GoldenModel.Llama();
        var requests = DecodingEngineTests.RandomRequests(6, 7);
        using var feed = new BlockingCollection<DecodingRequest>();
        Array.ForEach(requests[..3], feed.Add);

        var answers = new List<DecodingResult>();
        foreach (var answer in golden.Engine().Stream(feed.GetConsumingEnumerable()))
        {
            answers.Add(answer);
            if (answers.Count == 3)
            {
                Array.ForEach(requests[3..], feed.Add);
            }
            else if (answers.Count == 6)
            {
                feed.CompleteAdding();
            }
        }

        var inOrder = answers.OrderBy(answer => Array.FindIndex(requests, request => request.Id == answer.RequestId));
        Assert.Equal(DecodingEngineTests.Show(golden.Engine().InOrder(requests)), DecodingEngineTests.Show(inOrder));
    }

    [Fact]
    public void Waiting_for_a_feed_is_cancelled()
    {
        using var golden = GoldenModel.Llama();
        using var stopping = new CancellationTokenSource();
        using var feed = new BlockingCollection<DecodingRequest> { DecodingEngineTests.RandomRequests(1, 8)[0] };
        Assert.Throws<OperationCanceledException>(() =>
        {
            foreach (var _ in golden.Engine().Generate(feed.GetConsumingEnumerable(), cancellation: stopping.Token))
            {
                stopping.Cancel();
            }
        });
        feed.CompleteAdding();
    }

    [Fact]
    public void An_error_of_a_feed_is_thrown_where_the_answers_are_read()
    {
        using var golden = GoldenModel.Llama();
        var requests = DecodingEngineTests.RandomRequests(2, 9);
        var answers = golden.Engine().Stream(Feed()).GetEnumerator();
        var error = Assert.Throws<InvalidOperationException>(() =>
        {
            while (answers.MoveNext()) { }
        });
        Assert.Equal("no more", error.Message);

        IEnumerable<DecodingRequest> Feed()
        {
            foreach (var request in requests)
            {
                yield return request;
            }

            throw new InvalidOperationException("no more");
        }
    }
}
