using System.Threading.Channels;
using CoPe.Experiments.Negatives;
using Microsoft.Extensions.Logging;

namespace CoPe.Cli.Endpoint;

/// <summary>
/// Candidates from an endpoint: several requests under way at once, the item's seed with each, unusable texts drawn
/// again, fewer choices than asked for made up by asking again.
/// </summary>
sealed class EndpointSampler(EndpointClient client, EndpointOptions options, ILogger log)
{
    int _incompleteItems;

    /// <summary>
    /// A <see cref="CandidateSource"/>. After an error no new request is sent, those under way are waited for and
    /// returned, and then the error comes.
    /// </summary>
    public IEnumerable<CandidateTexts> Sample(
        IReadOnlyList<CandidateRequest> items,
        CandidateOptions wanted,
        long seed,
        CancellationToken cancellation
    )
    {
        var finished = Channel.CreateUnbounded<CandidateTexts>();
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var work = Task.Run(
            () => SampleAll(items, wanted, seed, finished.Writer, stopping.Token),
            CancellationToken.None
        );
        try
        {
            foreach (
                var texts in finished
                    .Reader.ReadAllAsync(CancellationToken.None)
                    .ToBlockingEnumerable(CancellationToken.None)
            )
            {
                yield return texts;
            }

            work.GetAwaiter().GetResult();
        }
        finally
        {
            stopping.Cancel();
            Task.WhenAny(work).GetAwaiter().GetResult(); // whatever its outcome: it must not outlive the token source
            log.LogInformation("endpoint {Url}: {Usage}", options.Url, client.Usage);
            if (_incompleteItems > 0)
            {
                log.LogWarning(
                    "endpoint {Url}: {Poor} of {Items} history items got fewer than the {Count} candidates wanted",
                    options.Url,
                    _incompleteItems,
                    items.Count,
                    wanted.Count
                );
            }
        }
    }

    async Task SampleAll(
        IReadOnlyList<CandidateRequest> items,
        CandidateOptions wanted,
        long seed,
        ChannelWriter<CandidateTexts> finished,
        CancellationToken cancellation
    )
    {
        var failed = false;
        async Task Worker(IEnumerator<CandidateRequest> queue)
        {
            while (NextItem(queue) is { } item && !Volatile.Read(ref failed))
            {
                try
                {
                    await finished
                        .WriteAsync(
                            await SampleItem(item, wanted, seed, cancellation).ConfigureAwait(false),
                            CancellationToken.None
                        )
                        .ConfigureAwait(false);
                }
                catch
                {
                    Volatile.Write(ref failed, true);
                    throw;
                }
            }
        }
        using var queue = items.GetEnumerator();
        try
        {
            await Task.WhenAll(Enumerable.Range(0, options.MaxParallel).Select(_ => Worker(queue)))
                .ConfigureAwait(false);
        }
        finally
        {
            finished.Complete();
        }
    }

    static CandidateRequest? NextItem(IEnumerator<CandidateRequest> queue)
    {
        lock (queue)
        {
            return queue.MoveNext() ? queue.Current : null;
        }
    }

    async Task<CandidateTexts> SampleItem(
        CandidateRequest item,
        CandidateOptions wanted,
        long seed,
        CancellationToken cancellation
    )
    {
        var texts = new List<string>();
        var itemSeed = (int)(SeedDerivation.DeriveForItem(seed, item.Item.UserId, item.Item.ItemId) & 0x3FFFFFFF);
        var idle = 0;
        for (var round = 0; idle <= wanted.Redraws && texts.Count < wanted.Count; round++)
        {
            var drawn = await client
                .RequestCompletions(item, wanted.Count - texts.Count, itemSeed + round, wanted.Decoding, cancellation)
                .ConfigureAwait(false);
            var usable = drawn
                .Where(item.Item.Accepts)
                .Select(text => text.Trim())
                .Take(wanted.Count - texts.Count)
                .ToList();
            if (usable.Count == 0)
            {
                idle++; // an endpoint that gives one choice a request is asked as often as choices are wanted
            }

            texts.AddRange(usable);
        }

        if (texts.Count < wanted.Count)
        {
            Interlocked.Increment(ref _incompleteItems);
        }

        return new CandidateTexts(item.Item.UserId, item.Item.ItemId, texts);
    }
}
