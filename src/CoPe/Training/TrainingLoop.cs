using CoPe.Adapters;
using CoPe.Kernels.Torch;
using CoPe.Scoring;
using static TorchSharp.torch;

namespace CoPe.Training;

/// <summary>
/// The one training loop. A step takes the next batch of every user still training, in as few passes as the token
/// budget allows, and then moves each user's weights by their own gradient, clipped by its own norm, at their own
/// learning rate. The loss of a step is the sum over users of the mean over each one's batch.
/// </summary>
sealed class TrainingLoop : IDisposable
{
    readonly TrainingSetup _setup;
    readonly TrainingContext _context;
    readonly TrainingOptions _options;
    readonly IReadOnlyList<TrainingUser> _users;
    readonly long[] _totalSteps;
    readonly BatchSampler[] _samplers;
    readonly UserTrainingState[] _states;
    readonly AdamW _optimizer;
    readonly PassWorkers _workers;
    readonly DevelopmentEvaluator? _development;
    readonly DivergenceGuard _divergence;
    readonly TrainingReporter _reporter;
    readonly Checkpointer _checkpointer;
    long _step;

    /// <summary>A loop at its first step; it owns none of what it is given.</summary>
    public TrainingLoop(TrainingSetup setup)
    {
        _setup = setup;
        _context = setup.Context;
        _options = _context.Options;
        _users = setup.Users;
        CheckIds(_users, _context.Model.Config.VocabSize);
        _totalSteps = [.. _users.Select(user => _options.Steps(user.Rows.Count))];
        _samplers = [.. _users.Select(CreateSampler)];
        _states = [.. _totalSteps.Select(CreateState)];
        var weights = setup.Weights.Values;
        var decayedWidth = setup.Weights.DecayedWidth;
        _optimizer = new AdamW(_users.Count, weights.shape[1], decayedWidth, _options.Optimizer, weights.device);
        _workers = new PassWorkers(setup.CreateReplica, _context.CountWorkers());
        if (_users.Any(user => user.DevelopmentRows.Count > 0))
        {
            _development = new DevelopmentEvaluator(setup, _states, _workers);
        }
        _divergence = new DivergenceGuard(setup, _samplers, _states, _workers);
        _reporter = new TrainingReporter(setup, _totalSteps, _states);
        _checkpointer = new Checkpointer(
            setup,
            _optimizer,
            _divergence.KeptWeights,
            _development?.BestWeights,
            _states
        );
    }

    static void CheckIds(IReadOnlyList<TrainingUser> users, int vocabSize)
    {
        foreach (var user in users)
        {
            var prompts = user.Rows.Concat(user.DevelopmentRows).Select(row => row.Prompt);
            foreach (var id in prompts.SelectMany(prompt => prompt.Ids.Concat(prompt.Labels)))
            {
                if (id < 0 || id >= vocabSize)
                {
                    throw new ArgumentException(
                        $"An example of {user.Name} has the id {id}, but the model's ids are 0 to {vocabSize - 1}; "
                            + "examples and model need the same tokenizer."
                    );
                }
            }
        }
    }

    BatchSampler CreateSampler(TrainingUser user)
    {
        var examples = user.Rows.Count;
        return new(examples, _options.ExamplesPerStep(examples), _options.Shuffle, user.Seed);
    }

    static UserTrainingState CreateState(long totalSteps) =>
        new() { Status = totalSteps == 0 ? TrainingStatus.NoExamples : TrainingStatus.InProgress };

    /// <summary>Trains to each user's end, from the last checkpoint if there is one.</summary>
    /// <exception cref="OperationCanceledException">Cancelled at a step boundary, after saving.</exception>
    public IReadOnlyList<TrainingOutcome> Run(IProgress<StageProgress>? progress, CancellationToken cancellation)
    {
        if (_checkpointer.TryRestore() is { } restored)
        {
            _step = restored;
        }
        else
        {
            _development?.Evaluate(_step, GetActiveUsers());
        }

        while (GetActiveUsers() is { Length: > 0 } active)
        {
            if (cancellation.IsCancellationRequested)
            {
                _checkpointer.Save(_step);
                cancellation.ThrowIfCancellationRequested();
            }
            TakeStep(active, progress);
            _step++;
            EndStep(active);
            _checkpointer.SaveIfDue(_step);
        }
        _setup.Weights.CopyToModel();
        return _reporter.CreateOutcomes();
    }

    int[] GetActiveUsers() =>
        [.. Enumerable.Range(0, _users.Count).Where(user => _states[user].Status == TrainingStatus.InProgress)];

    void TakeStep(int[] active, IProgress<StageProgress>? progress)
    {
        using var scope = NewDisposeScope();
        var started = _context.Time.GetTimestamp();
        var rows = active.SelectMany(CreateBatch).ToList();
        foreach (var row in rows)
        {
            _states[row.User].Tokens += row.Row.Prompt.Length;
        }
        var passes = TrainingBatch.SplitIntoPasses(rows, _options.TokensPerPass, _workers.Count);
        var results = _workers.Run(
            passes,
            (replica, pass) => OutOfMemoryGuard.Run(_context, pass, () => RunPass(replica, pass))
        );
        var gradients = SumInOrder(results, result => result.Gradients); // [users, weights]
        var figures = SumInOrder(results, result => result.Figures); // [users, figures]
        var tokens = results.Sum(result => result.Tokens);
        var names = results[0].FigureNames;
        foreach (var result in results)
        {
            result.Dispose();
        }

        var norms = GradientClipping.ComputeNorms(gradients); // [users]
        // The step's only wait for the device.
        var values = cat([figures, norms.unsqueeze(1)], 1).cpu().data<float>().ToArray();
        var stepFigures = new StepFigures([.. names, StepFigures.GradientNorm], values);
        UpdateWeights(active, gradients, norms, stepFigures);
        var elapsed = _context.Time.GetElapsedTime(started);
        _reporter.ReportStep(new(_step, active, stepFigures, tokens, elapsed), progress);
    }

    IEnumerable<PlannedRow> CreateBatch(int user)
    {
        int[] examples = [.. _samplers[user].ExamplesOfStep(_step)];
        return PlannedRow.CreateBatch(_setup.Objective, user, _users[user].Rows, examples);
    }

    /// <summary>Forward and backward of one pass.</summary>
    PassResult RunPass(TrainingReplica replica, IReadOnlyList<PlannedRow> rows)
    {
        using var scope = NewDisposeScope();
        using var batch = new TrainingBatch(rows, _setup.Weights.Values.device, _setup.Prompts);
        using var adapters = SelectAdapters(replica, rows);
        var labelLosses = batch.ComputeLabelLosses(replica.Model, adapters, _options.RecomputeLayers); // [labels]
        var rowFigures = _setup.Objective.ComputeFigures(labelLosses, batch);
        var loss = rowFigures.Loss.dot(batch.Weights);
        if (loss.requires_grad)
        {
            loss.backward(); // no row invokes its adapter where it does not
        }

        var names = rowFigures.Names;
        var figures = zeros(_users.Count, names.Count, dtype: ScalarType.Float32, device: batch.Weights.device);
        var weighted = rowFigures.Stack() * batch.Weights.unsqueeze(1); // [rows, figures]
        figures.index_add_(0, batch.UserOfRow, weighted, Scalars.One);
        return new(
            replica.TakeGradients().DetachFromDisposeScope(),
            names,
            figures.DetachFromDisposeScope(),
            batch.Tokens.TokenCount
        );
    }

    /// <summary>
    /// The adapters of the rows. Dropout draws by seeds of user, step and example, so there is no state to save and
    /// nothing depends on who shares the pass.
    /// </summary>
    AdapterRows? SelectAdapters(TrainingReplica replica, IReadOnlyList<PlannedRow> rows)
    {
        if (!_setup.UsesDropout)
        {
            return replica.Adapters?.SelectRows(rows);
        }
        var seeds = rows.Select(row => SeedDerivation.Combine(_users[row.User].Seed, _step, row.Example));
        return replica.Adapters?.SelectRows(rows, [.. seeds]);
    }

    /// <summary>Sum in the order of the passes, so that it does not depend on which ended first.</summary>
    static Tensor SumInOrder(PassResult[] results, Func<PassResult, Tensor> select)
    {
        var sum = select(results[0]).clone();
        foreach (var result in results.Skip(1))
        {
            sum.add_(select(result), Scalars.One);
        }
        return sum;
    }

    void UpdateWeights(int[] active, Tensor gradients, Tensor norms, StepFigures figures)
    {
        var rates = new double?[_users.Count];
        foreach (var user in active)
        {
            _states[user].Steps++;
            if (_divergence.Observe(user, figures))
            {
                rates[user] = _options.Rate(_step, _totalSteps[user]);
            }
        }
        gradients.mul_(GradientClipping.ComputeCoefficients(norms, _options.MaxGradNorm).unsqueeze(1));
        _optimizer.Step(_setup.Weights.Values, gradients, rates);
        _setup.Weights.CopyToModel();
    }

    void EndStep(int[] active)
    {
        foreach (var user in active)
        {
            if (_states[user].Status == TrainingStatus.InProgress && _step >= _totalSteps[user])
            {
                _states[user].Status = TrainingStatus.Finished;
            }
        }
        _development?.Evaluate(_step, [.. active.Where(IsDueForDevelopment)]);
        int[] ended = [.. active.Where(user => _states[user].Status != TrainingStatus.InProgress)];
        if (ended.Length > 0)
        {
            _development?.RestoreBest(ended);
            _divergence.Close(ended);
        }
    }

    bool IsDueForDevelopment(int user) =>
        _states[user].Status != TrainingStatus.Diverged && _development!.IsDue(_step, user, _totalSteps[user]);

    public void Dispose()
    {
        _workers.Dispose();
        _optimizer.Dispose();
        _divergence.Dispose();
        _development?.Dispose();
        NativeHeap.ReleaseFreedMemory();
    }
}

/// <summary>What a loop trains, on what, and towards what.</summary>
sealed class TrainingSetup
{
    /// <summary>Model, options and where results go.</summary>
    public required TrainingContext Context { get; init; }

    /// <summary>What is minimized.</summary>
    public required ITrainingObjective Objective { get; init; }

    /// <summary>What is trained; owned by the caller.</summary>
    public required TrainedWeights Weights { get; init; }

    /// <summary>Makes a worker's view of what is trained.</summary>
    public required Func<TrainingReplica> CreateReplica { get; init; }

    /// <summary>Where prefixes of rows are taken from; null where no row has one.</summary>
    public PrefixSource? Prompts { get; init; }

    /// <summary>Whether inputs of the adapters are dropped.</summary>
    public bool UsesDropout { get; init; }

    /// <summary>The users, in the order of their weights.</summary>
    public required IReadOnlyList<TrainingUser> Users { get; init; }

    /// <summary>What else a checkpoint depends on, name to hash.</summary>
    public IReadOnlyDictionary<string, string> Fingerprint { get; init; } = new Dictionary<string, string>();
}

/// <summary>How far one user's training is; part of a checkpoint.</summary>
sealed class UserTrainingState
{
    public TrainingStatus Status { get; set; }

    public long Steps { get; set; }

    /// <summary>Tokens of the examples of all steps, without padding.</summary>
    public long Tokens { get; set; }

    public double? LastLoss { get; set; }

    /// <summary>The mean of the latest losses; null before the first.</summary>
    public double? SmoothedLoss { get; set; }

    /// <summary>The lowest smoothed loss, of the weights that are kept against divergence.</summary>
    public double? LowestLoss { get; set; }

    /// <summary>Figures of the first step, before it; null before it.</summary>
    public IReadOnlyDictionary<string, double>? FiguresBefore { get; set; }

    /// <summary>The same of the same examples under the weights that the training ended with.</summary>
    public IReadOnlyDictionary<string, double>? FiguresAfter { get; set; }

    public double? FirstDevelopmentLoss { get; set; }

    /// <summary>The latest development loss; null where it was not a number.</summary>
    public double? LastDevelopmentLoss { get; set; }

    public double? BestDevelopmentLoss { get; set; }

    public long BestDevelopmentStep { get; set; }

    public int EvaluationsSinceBest { get; set; }
}
