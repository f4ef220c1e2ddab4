using CoPe.Chat;
using CoPe.Decoding;
using CoPe.Modeling;

namespace CoPe.Serving;

/// <summary>
/// The thread that decodes: between two steps of one running batch, requests whose adapters are in memory join it, and
/// those that have ended or that nobody wants any more leave it. Everything else, above all the reading of adapters,
/// happens beside it.
/// </summary>
/// <remarks>
/// A request waits in a <see cref="FairQueue{T}"/>, is prepared (its adapters are read), is ready, and runs. As many
/// rows are prepared as can run, so that the batch is not kept waiting for a disk.
/// </remarks>
sealed class ServingLoop : IAsyncDisposable
{
    readonly CausalLm _model;
    readonly ConversationEncoder _encoder;
    readonly IReadOnlyList<int> _stopIds;
    readonly AdapterResidency _residency;
    readonly ServingOptions _options;
    readonly ServingTelemetry _telemetry;
    readonly PromptCache? _promptCache;
    readonly AutoResetEvent _wake = new(false);
    readonly CancellationTokenSource _stopped = new();
    readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    readonly Lock _gate = new(); // of what follows
    readonly HashSet<PendingRequest> _outstanding = [];
    readonly FairQueue<PendingRequest> _waiting = new();
    readonly List<PendingRequest> _ready = [];
    readonly ClientRows _prepared = new(); // being prepared, or ready
    readonly ClientRows _running = new();
    bool _isStopping;
    bool _mayHoldCancelled;

    readonly GrowingBatch _batch; // the thread's own
    readonly List<PendingRequest> _members = []; // the thread's own

    public ServingLoop(
        CausalLm model,
        ConversationEncoder encoder,
        AdapterResidency residency,
        ServingOptions options,
        ServingTelemetry telemetry
    )
    {
        Stopped = _stopped.Token;
        (_model, _encoder, _residency) = (model, encoder, residency);
        (_options, _telemetry) = (options, telemetry);
        _stopIds = StopTokens.Find(model.Config, encoder);
        _promptCache = options.PromptCacheBytes > 0 ? new PromptCache(options.PromptCacheBytes) : null;
        _batch = new(model, new EngineOptions { MaxRows = options.MaxRows, PromptCache = _promptCache });
        new Thread(Run) { IsBackground = true, Name = "decoding" }.Start();
    }

    /// <summary>Requests that have not joined the batch yet, and those that have.</summary>
    public (int Waiting, int Running) Counts
    {
        get
        {
            lock (_gate)
            {
                var running = _outstanding.Count(request => request.Sequence is not null);
                return (_outstanding.Count - running, running);
            }
        }
    }

    /// <summary>Set when all requests end, answered or not.</summary>
    public CancellationToken Stopped { get; }

    /// <summary>Takes a request.</summary>
    /// <exception cref="ServingException">Too many wait, or the engine is stopping.</exception>
    public void Submit(PendingRequest request)
    {
        lock (_gate)
        {
            if (_isStopping)
            {
                throw new ServingException(ServingError.Stopping, "The engine is stopping and takes no more requests.");
            }

            RefuseBeyondLimits(request);
            _outstanding.Add(request);
            _waiting.Enqueue(request.Client, request);
        }

        _wake.Set();
    }

    void RefuseBeyondLimits(PendingRequest request)
    {
        if (_waiting.Count >= _options.MaxWaiting)
        {
            throw new ServingException(
                ServingError.QueueFull,
                $"{_waiting.Count} requests wait, and no more may; try again later."
            )
            {
                RetryAfter = _telemetry.EstimateWait(_waiting.Count),
            };
        }

        var ofClient = _waiting.CountOf(request.Client);
        if (ofClient >= _options.MaxWaitingOfClient)
        {
            throw new ServingException(
                ServingError.UserQueueFull,
                $"{ofClient} requests of '{MessageText.ToOneLine(request.Client)}' wait, and no more may; "
                    + "try again when some are answered."
            )
            {
                RetryAfter = _telemetry.EstimateWait(ofClient),
            };
        }
    }

    /// <summary>
    /// Looks for requests that nobody wants any more, wherever they are: at the next step their rows are free.
    /// </summary>
    public void NoticeCancelled()
    {
        lock (_gate)
        {
            _mayHoldCancelled = true;
        }

        _wake.Set();
    }

    /// <summary>Takes no more requests, and ends when those there are have ended.</summary>
    /// <param name="cancellation">Ends those that are not answered yet.</param>
    public async Task StopAsync(CancellationToken cancellation)
    {
        lock (_gate)
        {
            _isStopping = true;
        }

        _wake.Set();
        await using var registration = cancellation.Register(_stopped.Cancel);
        await _ended.Task.ConfigureAwait(false);
    }

    void Run()
    {
        do
        {
            RemoveCancelled();
            Prepare();
            Admit();
        } while (Step() || WaitForWork());

        _batch.Dispose();
        _promptCache?.Dispose();
        _ended.SetResult();
    }

    /// <summary>Computes a token of every row; false where there is none.</summary>
    bool Step()
    {
        if (_members.Count == 0)
        {
            return false;
        }

        try
        {
            var ended = _batch.Step(_members.Max(member => member.Sequence!.Position) + 1).ToHashSet();
            foreach (var request in _members.FindAll(member => ended.Contains(member.Sequence!)))
            {
                Leave(request, request.Sequence!.Failure);
            }
        }
        catch (Exception error)
        {
            FailBatch(error);
        }

        return true;
    }

    /// <summary>Waits until something has changed; false where nothing will.</summary>
    bool WaitForWork()
    {
        lock (_gate)
        {
            if (_ready.Count > 0)
            {
                return true;
            }

            if (_isStopping && _outstanding.Count == 0)
            {
                return false;
            }
        }

        // An idle server holds no cache of keys and values.
        _batch.Release();
        _wake.WaitOne();
        return true;
    }

    void RemoveCancelled()
    {
        List<PendingRequest> cancelled;
        lock (_gate)
        {
            if (!_mayHoldCancelled)
            {
                return;
            }

            _mayHoldCancelled = false;
            cancelled =
            [
                .. _waiting.RemoveAll(IsCancelled),
                .. _ready.FindAll(IsCancelled),
                .. _members.FindAll(IsCancelled),
            ];
        }

        foreach (var request in cancelled)
        {
            if (request.Sequence is { } sequence)
            {
                _batch.Cancel(sequence);
            }

            Leave(request, new OperationCanceledException(request.Cancelled));
        }

        static bool IsCancelled(PendingRequest request) => request.Cancelled.IsCancellationRequested;
    }

    /// <summary>Begins to read the adapters of the next requests, fairly.</summary>
    void Prepare()
    {
        lock (_gate)
        {
            while (
                _prepared.Total < _options.MaxRows
                && _waiting.Dequeue(client => _prepared.CountOf(client) + _running.CountOf(client)) is { } next
            )
            {
                _prepared.Add(next);
                _ = Task.Run(() => PrepareAsync(next));
            }
        }
    }

    async Task PrepareAsync(PendingRequest request)
    {
        try
        {
            request.Adapters = await _residency.AcquireAsync(request.Model, request.Cancelled).ConfigureAwait(false);
            lock (_gate)
            {
                _ready.Add(request);
                _mayHoldCancelled |= request.Cancelled.IsCancellationRequested;
            }
        }
        catch (Exception error)
        {
            Finish(request, error);
        }

        _wake.Set();
    }

    /// <summary>Lets as many ready requests join as there are rows for.</summary>
    void Admit()
    {
        // A prompt costs about a step however few rows it has, so new rows wait until an eighth of the rows is free.
        var rows = _batch.RowCount;
        if (rows > _options.MaxRows - _options.MaxRows / 8)
        {
            return;
        }

        var joining = new List<PendingRequest>();
        while (TakeReady(_options.MaxRows - rows) is { } next)
        {
            rows += next.RowCount;
            joining.Add(next);
        }

        if (joining.Count == 0)
        {
            return;
        }

        _members.AddRange(joining);
        try
        {
            List<RunningSequence> sequences = [.. joining.Select(request => request.Join(CreateStop))];
            _batch.Add(sequences, rows);
        }
        catch (Exception error)
        {
            FailBatch(error);
        }
    }

    /// <summary>The next ready request of the client with fewest running rows; null where it does not fit.</summary>
    PendingRequest? TakeReady(int freeRows)
    {
        lock (_gate)
        {
            var next = _ready.MinBy(request => _running.CountOf(request.Client));
            if (next is null || next.RowCount > freeRows)
            {
                return null;
            }

            _ready.Remove(next);
            _prepared.Remove(next);
            _running.Add(next);
            return next;
        }
    }

    StopCondition CreateStop(DecodingRequest request)
    {
        var room = _model.Config.MaxPositions - request.Prompt.Count;
        return new(_stopIds, request.Options, room, ids => _encoder.Tokenizer.Decode(ids));
    }

    /// <summary>What fails for all rows ends their requests, and no others.</summary>
    void FailBatch(Exception error)
    {
        _batch.Release();
        _members.ToList().ForEach(request => Leave(request, error));
    }

    /// <summary>Ends a request on the decoding thread.</summary>
    void Leave(PendingRequest request, Exception? failure)
    {
        _members.Remove(request);
        Finish(request, failure);
    }

    /// <summary>Ends a request, once: its rows are gone, or never were.</summary>
    void Finish(PendingRequest request, Exception? failure)
    {
        lock (_gate)
        {
            if (!_outstanding.Remove(request))
            {
                return;
            }

            if (!_running.Remove(request))
            {
                _prepared.Remove(request);
            }

            _ready.Remove(request);
        }

        request.Adapters?.Dispose();
        _telemetry.Finish(request, failure);
        request.Complete(failure);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(new CancellationToken(canceled: true)).ConfigureAwait(false);
        _stopped.Dispose();
        // Whoever cancels a request long after may still set the event.
    }
}
