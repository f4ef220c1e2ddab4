using CoPe.Adapters;
using CoPe.Kernels.Threads;
using CoPe.Modeling;
using CoPe.Scoring;

namespace CoPe.Decoding;

/// <summary>
/// Decodes for many users at once: the rows of a pass are requests x {expert, amateur}, all read the same frozen
/// weights, each wears its own adapters. Requests join and leave
/// while others run. What a request gets does not depend on its batch mates. The engine borrows model and adapters; one
/// call of <see cref="Generate"/> at a time.
/// </summary>
public sealed class DecodingEngine
{
    readonly CausalLm _model;
    readonly AdapterBanks _banks;
    readonly IReadOnlyList<int> _stopIds;
    readonly EngineOptions _options;

    /// <summary>An engine over one model and its adapters.</summary>
    /// <param name="model">The frozen model.</param>
    /// <param name="taskAdapter">Bank of one: the task's adapter; null where no request wears it.</param>
    /// <param name="userAdapters">The users' adapters, hundreds if need be; null where no request wears one.</param>
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

    int Context => _model.Config.MaxPositions;

    /// <summary>Decodes the requests and returns each answer as soon as it is finished.</summary>
    /// <param name="requests">
    /// The requests; read ahead by <see cref="EngineOptions.LookAhead"/>, otherwise lazily.
    /// </param>
    /// <param name="progress">Told of finished answers and tokens generated.</param>
    /// <param name="cancellation">Looked at before every step.</param>
    /// <exception cref="ArgumentException">
    /// A request cannot be served: empty prompt, prompt that fills the context, adapter that does not exist, an id
    /// given twice.
    /// </exception>
    /// <exception cref="NonFiniteLogitsException">The model gave NaN for a request.</exception>
    public IEnumerable<DecodingResult> Generate(
        IEnumerable<DecodingRequest> requests,
        IProgress<StageProgress>? progress = null,
        CancellationToken cancellation = default
    )
    {
        var known = requests as IReadOnlyList<DecodingRequest>;
        var total = known?.Sum(request => (long)request.Samples) ?? 0;
        long done = 0,
            tokens = 0;
        foreach (
            var result in known is null
                ? GenerateInOneBatch(requests, cancellation)
                : GenerateInBatches(known, cancellation)
        )
        {
            tokens += result.Ids.Count;
            progress?.Report(
                new StageProgress
                {
                    Stage = _options.Stage,
                    Done = ++done,
                    Total = Math.Max(total, done),
                    Unit = "answers",
                    Figures = new Dictionary<string, double> { ["tokens"] = tokens },
                }
            );
            yield return result;
        }
    }

    /// <summary>
    /// Several running batches side by side where the model is so small that operations wait more than they compute; a
    /// larger one is read once for all rows. A request's batch is its
    /// number modulo the batches', so that who decodes beside whom does not depend on time.
    /// </summary>
    IEnumerable<DecodingResult> GenerateInBatches(
        IReadOnlyList<DecodingRequest> requests,
        CancellationToken cancellation
    )
    {
        var batches = Math.Min(
            _options.Batches ?? TorchThreads.CountForPasses(_model.Device, _model.Weights.Bytes),
            requests.Count
        );
        if (batches <= 1)
        {
            return GenerateInOneBatch(requests, cancellation);
        }

        RequestQueue.RequireDistinct(requests);
        return ParallelStreams.Merge(
            batches,
            (batch, ending) =>
                GenerateInOneBatch(requests.Where((_, index) => index % batches == batch).ToList(), ending),
            cancellation
        );
    }

    IEnumerable<DecodingResult> GenerateInOneBatch(
        IEnumerable<DecodingRequest> requests,
        CancellationToken cancellation
    )
    {
        using var queue = new RequestQueue(requests, _options, Check);
        var most = requests is IReadOnlyCollection<DecodingRequest> known
            ? (int)Math.Min(_options.MaxRows, known.Sum(request => (long)request.Samples * request.RowsPerSample))
            : _options.MaxRows;
        RunningBatch? batch = null;
        try
        {
            while (true)
            {
                cancellation.ThrowIfCancellationRequested();
                batch = Admit(queue, batch, most);
                if (batch is null || batch.Rows == 0)
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

    /// <summary>Decodes the requests and returns the answers in their order, the samples of each by number.</summary>
    public IReadOnlyList<DecodingResult> GenerateInOrder(
        IReadOnlyList<DecodingRequest> requests,
        IProgress<StageProgress>? progress = null,
        CancellationToken cancellation = default
    )
    {
        var place = requests
            .Select((request, index) => (request.Id, index))
            .DistinctBy(pair => pair.Id)
            .ToDictionary(pair => pair.Id, pair => pair.index);
        return
        [
            .. Generate(requests, progress, cancellation)
                .OrderBy(result => place[result.RequestId])
                .ThenBy(result => result.Sample),
        ];
    }

    RunningBatch? Admit(RequestQueue queue, RunningBatch? batch, int most)
    {
        var running = batch?.Rows ?? 0;
        // Prefill costs about a step however few rows it has, so newcomers wait until an eighth of the rows is free.
        if (running > _options.MaxRows - _options.MaxRows / 8)
        {
            return batch;
        }

        var newcomers = new List<RunningSequence>();
        var rows = running;
        while (queue.Peek() is { } next && rows + next.Samples * next.RowsPerSample <= _options.MaxRows)
        {
            batch = RequireCapacity(queue, batch, next, most);
            if (batch.Capacity < PositionsNeeded(next))
            {
                break;
            }

            queue.Dequeue();
            rows += next.Samples * next.RowsPerSample;
            newcomers.AddRange(
                Enumerable.Range(next.FirstSample, next.Samples).Select(sample => NewSequence(next, sample))
            );
        }
        if (newcomers.Count > 0)
        {
            batch!.Add(newcomers);
        }

        return batch;
    }

    /// <summary>
    /// The batch, or a new one with longer rows where the next request needs them and nobody is running.
    /// <paramref name="most"/>: rows that there can be at once, for each takes its memory.
    /// </summary>
    RunningBatch RequireCapacity(RequestQueue queue, RunningBatch? batch, DecodingRequest next, int most)
    {
        if (batch is not null && (batch.Capacity >= PositionsNeeded(next) || batch.Rows > 0))
        {
            return batch;
        }

        batch?.Dispose();
        return new RunningBatch(
            _model,
            _banks,
            _options,
            most,
            (int)Math.Min(Context, Math.Max(queue.MaxPositionsNeeded, PositionsNeeded(next)))
        );
    }

    int PositionsNeeded(DecodingRequest request) => (int)Math.Min(Context, RequestQueue.PositionsNeeded(request));

    RunningSequence NewSequence(DecodingRequest request, int sample) =>
        new(
            request,
            sample,
            new StopCondition(_stopIds, request.Options, Context - request.Prompt.Count, _options.Detokenize)
        );

    void Check(DecodingRequest request)
    {
        var name = $"Request '{request.Id}'";
        if (request.Prompt.Count == 0)
        {
            throw new ArgumentException($"{name} has an empty prompt; at least one id (the BOS token) is needed.");
        }

        if (request.Prompt.Count >= Context)
        {
            throw new ArgumentException(
                $"{name} has a prompt of {request.Prompt.Count} tokens, but the model's context is {Context} and at least one must be left to generate; cut the prompt."
            );
        }

        if (request.Prompt.Any(id => id < 0 || id >= _model.Config.VocabSize))
        {
            throw new ArgumentException(
                $"{name} has the id {request.Prompt.First(id => id < 0 || id >= _model.Config.VocabSize)} in its prompt, but the model's ids are 0 to {_model.Config.VocabSize - 1}; prompt and model need the same tokenizer."
            );
        }

        if (request.Samples < 1)
        {
            throw new ArgumentException($"{name} asks for {request.Samples} samples; expected at least 1.");
        }

        _banks.RequireLoaded(request.Expert, name);
        if (request.Amateur is { } amateur)
        {
            _banks.RequireLoaded(amateur, name + " has an amateur that");
        }
    }
}

/// <summary>Limits of one engine: what they change is speed and memory, never a result.</summary>
public sealed record EngineOptions
{
    /// <summary>Most rows in one pass; an expert and its amateur are two.</summary>
    public int MaxRows
    {
        get;
        init => field = AtLeast(2, value, nameof(MaxRows));
    } = 64;

    /// <summary>
    /// Running batches side by side, each of <see cref="MaxRows"/> rows and on one core; null takes one for large
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

    /// <summary>Text of ids, for stop strings; needed only by requests that have some.</summary>
    public Func<IReadOnlyList<int>, string>? Detokenize { get; init; }

    /// <summary>Takes where the time goes, once a running batch has ended; null measures nothing.</summary>
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
