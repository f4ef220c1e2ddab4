using System.Threading.Channels;
using CoPe.Chat;
using CoPe.Experiments.Negatives;
using Microsoft.Extensions.Logging;

namespace CoPe.Cli.Endpoint;

/// <summary>
/// Samples candidates at an endpoint: several requests in flight at once, each with the item's seed; where a reply has
/// too few choices or unusable texts, another request follows.
/// </summary>
/// <param name="client">Sends the requests.</param>
/// <param name="options">The endpoint, and limits.</param>
/// <param name="reasoning">Takes the answer out of a text, by the marks of the run's own model.</param>
/// <param name="log">Is told what it cost, and what was left out.</param>
sealed class EndpointSampler(EndpointClient client, EndpointOptions options, ReasoningParser reasoning, ILogger log)
{
    int _incompleteItems;
    int _unfinishedTexts;

    /// <summary>
    /// A <see cref="CandidateSource"/>. After an error no new request is sent; the results of those in flight are
    /// returned before the error is thrown.
    /// </summary>
    public IEnumerable<CandidateTexts> Sample(
        IReadOnlyList<CandidateRequest> items,
        NegativesOptions wanted,
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
            var results = finished.Reader.ReadAllAsync(CancellationToken.None);
            foreach (var texts in results.ToBlockingEnumerable(CancellationToken.None))
            {
                yield return texts;
            }

            work.GetAwaiter().GetResult();
        }
        finally
        {
            stopping.Cancel();
            // Whatever its outcome, the work must not outlive the token source.
            Task.WhenAny(work).GetAwaiter().GetResult();
            log.LogInformation("endpoint {Address}: {Usage}", options.Address, client.Usage);
            if (_unfinishedTexts > 0)
            {
                log.LogWarning(
                    "endpoint {Address}: {Unfinished} texts end within the model's reasoning and are left out; "
                        + "raise negatives.max_new_tokens, or have the endpoint answer without reasoning",
                    options.Address,
                    _unfinishedTexts
                );
            }

            if (_incompleteItems > 0)
            {
                log.LogWarning(
                    "endpoint {Address}: {Incomplete} of {Items} history items got fewer than {Count} candidates",
                    options.Address,
                    _incompleteItems,
                    items.Count,
                    wanted.Candidates
                );
            }
        }
    }

    async Task SampleAll(
        IReadOnlyList<CandidateRequest> items,
        NegativesOptions wanted,
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
                    var texts = await SampleItem(item, wanted, seed, cancellation).ConfigureAwait(false);
                    await finished.WriteAsync(texts, CancellationToken.None).ConfigureAwait(false);
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
            var workers = Enumerable.Range(0, options.MaxParallel).Select(_ => Worker(queue));
            await Task.WhenAll(workers).ConfigureAwait(false);
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
        NegativesOptions wanted,
        long seed,
        CancellationToken cancellation
    )
    {
        var texts = new List<string>();
        var itemSeed = (int)(SeedDerivation.DeriveForItem(seed, item.Item.UserId, item.Item.ItemId) & 0x3FFFFFFF);
        // Only fruitless rounds count: an endpoint with one choice per request needs as many rounds as candidates.
        var fruitlessRounds = 0;
        for (var round = 0; fruitlessRounds <= wanted.Redraws && texts.Count < wanted.Candidates; round++)
        {
            var missing = wanted.Candidates - texts.Count;
            var request = new EndpointRequest(item, missing, itemSeed + round, wanted.CreateDecodingOptions());
            var choices = await client.RequestCompletions(request, cancellation).ConfigureAwait(false);
            var answers = choices.Select(TakeAnswer).Where(item.Item.Accepts).Select(text => text.Trim());
            var usable = answers.Take(missing).ToList();
            if (usable.Count == 0)
            {
                fruitlessRounds++;
            }

            texts.AddRange(usable);
        }

        if (texts.Count < wanted.Candidates)
        {
            Interlocked.Increment(ref _incompleteItems);
        }

        return new CandidateTexts(item.Item.UserId, item.Item.ItemId, texts);
    }

    /// <summary>The answer in a choice's text; empty where it ends within the reasoning.</summary>
    string TakeAnswer(EndpointChoice choice)
    {
        var response = reasoning.Parse(choice.Text, FindStart(choice));
        if (response.IsUnfinished)
        {
            Interlocked.Increment(ref _unfinishedTexts);
        }

        return response.Answer;
    }

    /// <summary>
    /// The ids of a prompt end outside the reasoning. What messages end with is the endpoint's template's, likely that
    /// of the run's model: a text that was cut and lacks the mark may be all reasoning.
    /// </summary>
    ReasoningStart FindStart(EndpointChoice choice)
    {
        if (options.Api == EndpointApi.Completions)
        {
            return ReasoningStart.None;
        }

        var mayBeCutReasoning = choice.IsCut && !choice.HasReasoning && reasoning.OpensReasoning;
        return mayBeCutReasoning ? ReasoningStart.Open : ReasoningStart.Unknown;
    }
}
