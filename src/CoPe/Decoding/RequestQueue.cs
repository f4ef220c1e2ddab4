namespace CoPe.Decoding;

/// <summary>
/// Requests that wait, read ahead and sorted by length; one with more samples than fit in a batch is split.
/// </summary>
sealed class RequestQueue(
    IEnumerable<DecodingRequest> requests,
    EngineOptions options,
    Action<DecodingRequest> validate,
    CancellationToken cancellation
) : IDisposable
{
    readonly RequestSource _source = RequestSource.Create(requests, options.LookAhead);
    readonly Queue<DecodingRequest> _waiting = new();
    readonly HashSet<string> _ids = [];

    /// <summary>Most positions that a request now waiting can fill.</summary>
    public long MaxPositionsNeeded { get; private set; }

    /// <summary>The next request, or null where there is none left, or none at hand.</summary>
    /// <param name="waits">Whether to wait for one that is not at hand yet.</param>
    public DecodingRequest? Peek(bool waits)
    {
        if (_waiting.Count == 0)
        {
            ReadAhead(waits);
        }

        return _waiting.TryPeek(out var next) ? next : null;
    }

    /// <summary>Throws where two requests have the same id.</summary>
    public static void RequireDistinct(IReadOnlyList<DecodingRequest> requests)
    {
        var ids = new HashSet<string>();
        foreach (var request in requests)
        {
            if (!ids.Add(request.Id))
            {
                throw DuplicateId(request.Id);
            }
        }
    }

    static ArgumentException DuplicateId(string id) =>
        new($"Two requests have the id '{id}'; results could not be told apart.");

    public void Dequeue() => _waiting.Dequeue();

    public void Dispose() => _source.Dispose();

    void ReadAhead(bool waits)
    {
        var window = _source.Take(options.LookAhead, waits, cancellation);
        foreach (var request in window)
        {
            validate(request);
            if (!_ids.Add(request.Id))
            {
                throw DuplicateId(request.Id);
            }
        }
        MaxPositionsNeeded = window.Select(request => request.PositionsNeeded).DefaultIfEmpty().Max();
        // The longest first: the short ones then fill what the long ones leave at the end.
        foreach (var part in window.OrderByDescending(request => request.Prompt.Count).SelectMany(SplitSamples))
        {
            _waiting.Enqueue(part);
        }
    }

    IEnumerable<DecodingRequest> SplitSamples(DecodingRequest request)
    {
        var samplesPerBatch = options.MaxRows / request.RowsPerSample;
        for (var done = 0; done < request.Samples; done += samplesPerBatch)
        {
            yield return request with
            {
                FirstSample = request.FirstSample + done,
                Samples = Math.Min(samplesPerBatch, request.Samples - done),
            };
        }
    }
}
