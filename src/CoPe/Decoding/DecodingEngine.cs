using CoPe.Adapters;
using CoPe.Kernels.Threads;
using CoPe.Modeling;
using CoPe.Scoring;

namespace CoPe.Decoding;

/// <summary>
/// Decodes for many users at once: the rows of a pass are requests x {expert, amateur}, all read the same frozen
/// weights, each with its own adapters. Requests join and leave while others run, and what a request gets does not
/// depend on those beside it. Several threads may generate at once: each call has its own batch, and they share the
/// cores. The engine owns neither model nor adapters.
/// </summary>
/// <example>
/// <code>
/// var engine = new DecodingEngine(model, task, users, StopTokens.Find(model.Config, encoder));
/// var requests = Enumerable
///     .Range(0, users.Count)
///     .Select(user =&gt; new DecodingRequest
///     {
///         Id = $"user {user}",
///         Prompt = prompt,
///         Expert = AdapterSelection.TaskAndUser(user),
///         Amateur = AdapterSelection.Task,
///     });
/// foreach (var result in engine.Generate(requests))
/// {
///     output.WriteLine($"{result.RequestId}: {result.Ids.Count} tokens, {result.StopReason}");
/// }
/// </code>
/// </example>
public sealed class DecodingEngine
{
    readonly CausalLm _model;
    readonly AdapterBanks _banks;
    readonly IReadOnlyList<int> _stopIds;
    readonly EngineOptions _options;

    /// <summary>An engine over one model and its adapters.</summary>
    /// <param name="model">The frozen model.</param>
    /// <param name="taskAdapter">Bank of one: the task's adapter; null where no request uses it.</param>
    /// <param name="userAdapters">The users' adapters, hundreds if need be; null where no request uses one.</param>
    /// <param name="stopIds">All ids that end an answer.</param>
    /// <param name="options">Limits.</param>
    public DecodingEngine(
        CausalLm model,
        AdapterBank? taskAdapter,
        AdapterBank? userAdapters,
        IReadOnlyList<int> stopIds,
        EngineOptions? options = null
    )
    {
        _model = model;
        _banks = new AdapterBanks(taskAdapter, userAdapters);
        _stopIds = stopIds;
        _options = options ?? new EngineOptions();
    }

    int ContextLength => _model.Config.MaxPositions;

    /// <summary>Decodes the requests and returns each answer as soon as it is finished.</summary>
    /// <param name="requests">
    /// The requests. A list is decoded as a whole. Other sequences are read on a thread of their own, at most
    /// <see cref="EngineOptions.LookAhead"/> ahead, and their requests join as they come: a feed that blocks, such as
    /// <c>BlockingCollection.GetConsumingEnumerable</c>, holds up no row that is running.
    /// </param>
    /// <param name="progress">Receives the number of finished answers and of generated tokens.</param>
    /// <param name="cancellation">Checked before every step.</param>
    /// <exception cref="ArgumentException">
    /// A request cannot be served: empty prompt, prompt that fills the context, adapter that does not exist, an id
    /// given twice.
    /// </exception>
    /// <exception cref="NonFiniteLogitsException">The model gave NaN for a request.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public IEnumerable<DecodingResult> Generate(
        IEnumerable<DecodingRequest> requests,
        IProgress<StageProgress>? progress = null,
        CancellationToken cancellation = default
    )
    {
        var known = requests as IReadOnlyList<DecodingRequest>;
        var total = known?.Sum(request => (long)request.Samples) ?? 0;
        var results = known is null
            ? GenerateInOneBatch(requests, kept: null, cancellation)
            : GenerateInBatches(known, cancellation);
        long done = 0;
        long tokens = 0;
        foreach (var result in results)
        {
            done++;
            tokens += result.Ids.Count;
            progress?.Report(
                new StageProgress
                {
                    Stage = _options.Stage,
                    Done = done,
                    Total = Math.Max(total, done),
                    Unit = "answers",
                    Figures = new Dictionary<string, double> { ["tokens"] = tokens },
                }
            );
            yield return result;
        }
    }

    /// <summary>Decodes the requests and returns the answers in their order, the samples of each by number.</summary>
    /// <inheritdoc cref="Generate"/>
    public IReadOnlyList<DecodingResult> GenerateInOrder(
        IReadOnlyList<DecodingRequest> requests,
        IProgress<StageProgress>? progress = null,
        CancellationToken cancellation = default
    )
    {
        var indexOfId = new Dictionary<string, int>();
        foreach (var (index, request) in requests.Index())
        {
            indexOfId.TryAdd(request.Id, index);
        }
        var results = Generate(requests, progress, cancellation);
        return [.. results.OrderBy(result => indexOfId[result.RequestId]).ThenBy(result => result.Sample)];
    }

    /// <summary>
    /// Several running batches in parallel where the model is so small that operations wait more than they compute; a
    /// larger one is read once for all rows. A request's batch is its number modulo the batches', so that which
    /// requests share a batch does not depend on time.
    /// </summary>
    IEnumerable<DecodingResult> GenerateInBatches(
        IReadOnlyList<DecodingRequest> requests,
        CancellationToken cancellation
    )
    {
        var mostBatches = _options.Batches ?? TorchThreads.CountForPasses(_model.Device, _model.Weights.Bytes);
        var batches = Math.Min(mostBatches, requests.Count);
        if (batches > 1)
        {
            RequestQueue.RequireDistinct(requests);
        }

        return batches > 1
            ? GenerateInBatches(requests, batches, cancellation)
            : GenerateInOneBatch(requests, kept: null, cancellation);
    }

    IEnumerable<DecodingResult> GenerateInBatches(
        IReadOnlyList<DecodingRequest> requests,
        int batches,
        CancellationToken cancellation
    )
    {
        // What one batch computes meanwhile is not for the others, which would make the rest depend on time.
        using var kept = _options.PromptCache?.Rent(_model);
        var results = ParallelStreams.Merge(
            batches,
            (batch, stopping) =>
            {
                var ofBatch = requests.Where((_, index) => index % batches == batch).ToList();
                return GenerateInOneBatch(ofBatch, kept, stopping);
            },
            cancellation
        );
        foreach (var result in results)
        {
            yield return result;
        }
    }

    IEnumerable<DecodingResult> GenerateInOneBatch(
        IEnumerable<DecodingRequest> requests,
        RentedPrompts? kept,
        CancellationToken cancellation
    )
    {
        using var queue = new RequestQueue(requests, _options, Validate, cancellation);
        var mostRows = CountMostRows(requests);
        RunningBatch? batch = null;
        try
        {
            while (true)
            {
                cancellation.ThrowIfCancellationRequested();
                batch = Admit(queue, batch, mostRows, kept);
                if (batch is null || batch.RowCount == 0)
                {
                    yield break;
                }
                foreach (var sequence in batch.Step())
                {
                    yield return sequence.ToResult();
                }
            }
        }
        finally
        {
            batch?.Dispose();
        }
    }

    /// <summary>Rows that there can be at once: each takes its memory.</summary>
    int CountMostRows(IEnumerable<DecodingRequest> requests)
    {
        if (requests is not IReadOnlyCollection<DecodingRequest> known)
        {
            return _options.MaxRows;
        }
        var needed = known.Sum(request => (long)request.Samples * request.RowsPerSample);
        return (int)Math.Min(_options.MaxRows, needed);
    }

    /// <summary>Adds as many waiting requests as there is room for; null where there is nothing to run.</summary>
    RunningBatch? Admit(RequestQueue queue, RunningBatch? batch, int mostRows, RentedPrompts? kept)
    {
        var rows = batch?.RowCount ?? 0;
        // Prefill costs about a step however few rows it has, so new rows wait until an eighth of the rows is free.
        if (rows > _options.MaxRows - _options.MaxRows / 8)
        {
            return batch;
        }
        var admitted = new List<RunningSequence>();
        while (queue.Peek(waits: rows == 0) is { } next && rows + next.RowCount <= _options.MaxRows)
        {
            batch = RequireCapacity(batch, next) ?? CreateBatch(queue, next, mostRows, kept);
            if (batch.Capacity < CountPositions(next))
            {
                break;
            }
            queue.Dequeue();
            rows += next.RowCount;
            admitted.AddRange(CreateSequences(next));
        }
        if (admitted.Count > 0)
        {
            batch!.Add(admitted);
        }
        return batch;
    }

    /// <summary>
    /// The batch, or null where the next request needs one with longer rows and no row is running.
    /// </summary>
    RunningBatch? RequireCapacity(RunningBatch? batch, DecodingRequest next)
    {
        if (batch is null || batch.Capacity >= CountPositions(next) || batch.RowCount > 0)
        {
            return batch;
        }

        batch.Dispose();
        return null;
    }

    RunningBatch CreateBatch(RequestQueue queue, DecodingRequest next, int mostRows, RentedPrompts? kept)
    {
        var capacity = (int)Math.Min(ContextLength, Math.Max(queue.MaxPositionsNeeded, CountPositions(next)));
        return new RunningBatch(_model, _options, mostRows, capacity, kept);
    }

    int CountPositions(DecodingRequest request) => (int)Math.Min(ContextLength, request.PositionsNeeded);

    IEnumerable<RunningSequence> CreateSequences(DecodingRequest request)
    {
        var room = ContextLength - request.Prompt.Count;
        for (var i = 0; i < request.Samples; i++)
        {
            var stop = new StopCondition(_stopIds, request.Options, room, _options.Detokenize);
            var (expert, amateur) = (Resolve(request.Expert), Resolve(request.Amateur ?? default));
            yield return new(request, request.FirstSample + i, expert, amateur, stop);
        }

        PromptAdapters Resolve(AdapterSelection selection) => _banks.Resolve(selection, request.Prompt);
    }

    void Validate(DecodingRequest request)
    {
        request.CheckPrompt(_model.Config);
        var name = $"Request '{request.Id}'";
        if (request.Samples < 1)
        {
            throw new ArgumentException($"{name} needs {request.Samples} samples; expected at least 1.");
        }
        _banks.RequireLoaded(request.Expert, name);
        if (request.Amateur is { } amateur)
        {
            _banks.RequireLoaded(amateur, $"The amateur of {name}");
        }
    }
}

/// <summary>Limits of one engine: they change speed and memory, never a result.</summary>
public sealed record EngineOptions
{
    /// <summary>Most rows in one pass; an expert and its amateur are two.</summary>
    public int MaxRows
    {
        get;
        init => field = AtLeast(2, value, nameof(MaxRows));
    } = 64;

    /// <summary>
    /// Running batches in parallel, each of <see cref="MaxRows"/> rows and on one core; null takes one for large
    /// models and one a core for small ones.
    /// </summary>
    public int? Batches
    {
        get;
        init => field = value is { } batches ? AtLeast(1, batches, nameof(Batches)) : null;
    }

    /// <summary>
    /// Most prompt tokens, padding and what was copied included, in one prefill pass (a single longer prompt is a pass
    /// of its own).
    /// </summary>
    public int PrefillTokens
    {
        get;
        init => field = AtLeast(1, value, nameof(PrefillTokens));
    } = 8192;

    /// <summary>Requests read ahead and sorted by length, so that rows of one pass are of similar length.</summary>
    public int LookAhead
    {
        get;
        init => field = AtLeast(1, value, nameof(LookAhead));
    } = 256;

    /// <summary>
    /// Keeps keys and values between calls, so that a prompt that begins as an earlier one computes only the rest, up
    /// to rounding the same; still the caller's. Null keeps nothing.
    /// </summary>
    public PromptCache? PromptCache { get; init; }

    /// <summary>Text of ids, for stop strings; needed only by requests that have some.</summary>
    public Func<IReadOnlyList<int>, string>? Detokenize { get; init; }

    /// <summary>Receives where the time went, once a running batch has ended; null measures nothing.</summary>
    public DecodingTrace? Trace { get; init; }

    /// <summary>Name of the stage in progress reports.</summary>
    public string Stage { get; init; } = "decode";

    static int AtLeast(int least, int value, string name) =>
        value >= least
            ? value
            : throw new ArgumentOutOfRangeException(
                name,
                value,
                $"Engine option {name} is {value}; it must be at least {least}."
            );
}
