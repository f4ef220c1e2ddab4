namespace CoPe.Decoding;

/// <summary>
/// Requests that wait, read ahead and sorted by length; one with more samples than fit in a batch comes in parts.
/// </summary>
sealed class RequestQueue(IEnumerable<DecodingRequest> requests, EngineOptions options, Action<DecodingRequest> check)
    : IDisposable
{
    readonly IEnumerator<DecodingRequest> _source = requests.GetEnumerator();
    readonly Queue<DecodingRequest> _waiting = new();
    readonly HashSet<string> _ids = [];

    /// <summary>Most positions that a request now waiting can fill.</summary>
    public long MaxPositionsNeeded { get; private set; }

    /// <summary>The next request, or null where there is none left.</summary>
    public DecodingRequest? Peek()
    {
        if (_waiting.Count == 0)
        {
            ReadAhead();
        }

        return _waiting.TryPeek(out var next) ? next : null;
    }

    /// <summary>Throws where two requests, of whatever queues, have one id.</summary>
    public static void RequireDistinct(IReadOnlyList<DecodingRequest> requests)
    {
        if (requests.GroupBy(request => request.Id).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            throw DuplicateId(twice.Key);
        }
    }

    static ArgumentException DuplicateId(string id) =>
        new($"Two requests have the id '{id}'; results could not be told apart.");

    public void Dequeue() => _waiting.Dequeue();

    public void Dispose() => _source.Dispose();

    void ReadAhead()
    {
        var window = new List<DecodingRequest>();
        while (window.Count < options.LookAhead && _source.MoveNext())
        {
            check(_source.Current);
            if (!_ids.Add(_source.Current.Id))
            {
                throw DuplicateId(_source.Current.Id);
            }

            window.Add(_source.Current);
        }
        MaxPositionsNeeded = window.Select(PositionsNeeded).DefaultIfEmpty().Max();
        // The longest first: the short ones then fill what the long ones leave at the end.
        foreach (var part in window.OrderByDescending(request => request.Prompt.Count).SelectMany(Parts))
        {
            _waiting.Enqueue(part);
        }
    }

    /// <summary>Positions that a request can fill, were there no end of the context.</summary>
    public static long PositionsNeeded(DecodingRequest request) =>
        (long)request.Prompt.Count + request.Options.MaxNewTokens;

    IEnumerable<DecodingRequest> Parts(DecodingRequest request)
    {
        var most = options.MaxRows / request.RowsPerSample;
        for (var done = 0; done < request.Samples; done += most)
        {
            yield return request with
            {
                FirstSample = request.FirstSample + done,
                Samples = Math.Min(most, request.Samples - done),
            };
        }
    }
}
