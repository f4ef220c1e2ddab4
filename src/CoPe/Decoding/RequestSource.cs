using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.ExceptionServices;

namespace CoPe.Decoding;

/// <summary>Where the requests of one call come from.</summary>
abstract class RequestSource : IDisposable
{
    /// <summary>A source over a collection, or over requests that come one by one.</summary>
    /// <param name="requests">The requests.</param>
    /// <param name="readAhead">Most requests that are held before they are asked for.</param>
    public static RequestSource Create(IEnumerable<DecodingRequest> requests, int readAhead) =>
        requests is IReadOnlyCollection<DecodingRequest> known
            ? new CollectionSource(known)
            : new FeedSource(requests, readAhead);

    /// <summary>The next requests: of a collection as many as there are, of a feed those at hand.</summary>
    /// <param name="most">Most requests to take.</param>
    /// <param name="waits">Whether to wait where none is at hand: nothing else is to be done.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    public abstract IReadOnlyList<DecodingRequest> Take(int most, bool waits, CancellationToken cancellation);

    public abstract void Dispose();

    sealed class CollectionSource(IReadOnlyCollection<DecodingRequest> requests) : RequestSource
    {
        readonly IEnumerator<DecodingRequest> _requests = requests.GetEnumerator();

        public override IReadOnlyList<DecodingRequest> Take(int most, bool waits, CancellationToken cancellation)
        {
            var taken = new List<DecodingRequest>();
            while (taken.Count < most && _requests.MoveNext())
            {
                taken.Add(_requests.Current);
            }

            return taken;
        }

        public override void Dispose() => _requests.Dispose();
    }

    /// <summary>
    /// Requests that may come at any time, read on a thread of their own so that running rows never wait for them.
    /// </summary>
    sealed class FeedSource : RequestSource
    {
        /// <summary>
        /// How long a call that has waited for a first request gathers those that follow at once, as from a query, so
        /// that they share their first pass.
        /// </summary>
        static readonly TimeSpan GatherTime = TimeSpan.FromMilliseconds(10);

        readonly BlockingCollection<DecodingRequest> _ready;
        readonly CancellationTokenSource _stopping = new();
        readonly CancellationToken _stop;
        ExceptionDispatchInfo? _failure;

        public FeedSource(IEnumerable<DecodingRequest> requests, int readAhead)
        {
            _ready = new(readAhead);
            _stop = _stopping.Token;
            new Thread(() => Read(requests)) { IsBackground = true, Name = "decoding requests" }.Start();
        }

        public override IReadOnlyList<DecodingRequest> Take(int most, bool waits, CancellationToken cancellation)
        {
            var taken = new List<DecodingRequest>();
            if (waits && _ready.TryTake(out var first, Timeout.Infinite, cancellation))
            {
                taken.Add(first);
                var waited = Stopwatch.GetTimestamp();
                while (taken.Count < most && _ready.TryTake(out var next, GetRest(waited), cancellation))
                {
                    taken.Add(next);
                }
            }

            while (taken.Count < most && _ready.TryTake(out var next))
            {
                taken.Add(next);
            }

            if (taken.Count == 0 && _ready.IsCompleted)
            {
                _failure?.Throw();
            }

            return taken;
        }

        /// <summary>A feed that is waiting for its next request cannot be interrupted: it ends with that.</summary>
        public override void Dispose() => _stopping.Cancel();

        static int GetRest(long since) =>
            Math.Max(0, (int)(GatherTime - Stopwatch.GetElapsedTime(since)).TotalMilliseconds);

        void Read(IEnumerable<DecodingRequest> requests)
        {
            try
            {
                foreach (var request in requests)
                {
                    _ready.Add(request, _stop);
                }
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                // Nobody asks for more.
            }
            catch (Exception error)
            {
                _failure = ExceptionDispatchInfo.Capture(error);
            }
            finally
            {
                _ready.CompleteAdding();
            }
        }
    }
}
