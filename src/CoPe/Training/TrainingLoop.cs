using CoPe.Kernels.Threads;
using CoPe.Kernels.Torch;
using Microsoft.Extensions.Logging;
using static TorchSharp.torch;

namespace CoPe.Training;

/// <summary>
/// The one training loop. A step takes the next batch of every user still training, in as few passes as the token
/// budget allows, and then moves each user's
/// weights by his own gradient, clipped by his own norm, at his own learning rate. The loss of a step is the sum over
/// users of the mean over each one's batch.
/// </summary>
sealed class TrainingLoop : IDisposable
{
    readonly TrainingSetup _setup;
    readonly TrainingContext _run;
    readonly TrainingOptions _options;
    readonly int _users;
    readonly long[] _totals;
    readonly BatchSampler[] _orders;
    readonly UserTrainingState[] _states;
    readonly AdamW _optimiser;
    readonly PassWorkers _workers;
    readonly Tensor _lastGood; // [users, weights]: the weights that gave each user's last finite loss
    readonly DevelopmentEvaluator? _development;
    readonly TrainingReporter _report;
    readonly Checkpointer _checkpoint;
    long _step;

    public TrainingLoop(TrainingSetup setup)
    {
        _setup = setup;
        _run = setup.Context;
        _options = _run.Options;
        _users = setup.Names.Count;
        _totals = [.. setup.Rows.Select(rows => _options.Steps(rows.Length))];
        _orders =
        [
            .. setup.Rows.Select(
                (rows, user) =>
                    new BatchSampler(
                        rows.Length,
                        _options.ExamplesPerStep(rows.Length),
                        _options.Shuffle,
                        setup.Seeds[user]
                    )
            ),
        ];
        _states =
        [
            .. _totals.Select(total => new UserTrainingState
            {
                Status = total == 0 ? TrainingStatus.NoExamples : TrainingStatus.InProgress,
            }),
        ];
        var values = setup.Weights.Values;
        _optimiser = new AdamW(_users, values.shape[1], setup.Weights.DecayedWidth, _options.Optimizer, values.device);
        _lastGood = values.clone().DetachFromDisposeScope();
        _workers = new PassWorkers(
            setup.CreateReplica,
            _options.Workers ?? TorchThreads.CountForPasses(values.device, _run.Model.Weights.Bytes)
        );
        _development = setup.DevelopmentRows is null ? null : new DevelopmentEvaluator(setup, _states, _workers);
        _report = new TrainingReporter(setup, _totals, _states);
        _checkpoint = new Checkpointer(setup, _optimiser, _lastGood, _development?.BestWeights, _states);
    }

    /// <summary>Trains to each user's end, from the last checkpoint if there is one.</summary>
    /// <exception cref="OperationCanceledException">Cancelled at a step boundary, after saving.</exception>
    public IReadOnlyList<TrainingOutcome> Run(IProgress<StageProgress>? progress, CancellationToken cancellation)
    {
        if (_checkpoint.TryRestore() is { } restored)
        {
            _step = restored;
        }
        else
        {
            _development?.Evaluate(_step, StillTraining());
        }

        while (StillTraining() is { Length: > 0 } active)
        {
            if (cancellation.IsCancellationRequested)
            {
                _checkpoint.Save(_step);
                cancellation.ThrowIfCancellationRequested();
            }
            Step(active, progress);
            _step++;
            EndStep(active);
            _checkpoint.SaveIfDue(_step);
        }
        _setup.Weights.CopyToModel();
        return _report.Outcomes();
    }

    int[] StillTraining() =>
        [.. Enumerable.Range(0, _users).Where(user => _states[user].Status == TrainingStatus.InProgress)];

    void Step(int[] active, IProgress<StageProgress>? progress)
    {
        using var scope = NewDisposeScope();
        var started = _run.Time.GetTimestamp();
        var passes = PassPlanner.Split(
            active.SelectMany(user =>
                PlannedRow.CreateBatch(
                    _setup.Objective,
                    user,
                    _setup.Rows[user],
                    [.. _orders[user].ExamplesOfStep(_step)]
                )
            ),
            _options.TokensPerPass,
            _workers.Count
        );
        var results = _workers.Run(
            passes,
            (replica, pass) => OutOfMemoryGuard.Run(_run, pass, () => Pass(replica, pass))
        );
        var gradients = Sum(results, result => result.Gradients);
        var figures = Sum(results, result => result.Figures);
        var tokens = results.Sum(result => result.Tokens);
        foreach (var result in results)
        {
            result.Dispose();
        }

        var norms = GradientClipping.ComputeNorms(gradients);
        // The step's only wait for the device.
        var read = cat([figures, norms.unsqueeze(1)], 1).cpu().data<float>().ToArray();
        Update(active, gradients, norms, read);
        _report.ReportStep(new(_step, active, read, tokens, _run.Time.GetElapsedTime(started)), progress);
    }

    /// <summary>
    /// Forward and backward of one pass; dropout draws by seeds of user, step and example: nothing to save, and nobody
    /// else's.
    /// </summary>
    PassResult Pass(TrainingReplica replica, IReadOnlyList<PlannedRow> rows)
    {
        using var scope = NewDisposeScope();
        using var batch = new PassBatch(rows, _setup.Weights.Values.device);
        using var adapters = _setup.Dropout
            ? replica.Adapters?.SelectRows(
                rows,
                [.. rows.Select(row => SeedDerivation.Combine(_setup.Seeds[row.User], _step, row.Example))]
            )
            : replica.Adapters?.SelectRows(rows);
        var rowFigures = _setup.Objective.ComputeFigures(
            LabelLogits.Compute(replica.Model, batch, adapters, _options.RecomputeLayers),
            batch
        ); // [rows, figures]
        rowFigures.select(1, 0).dot(batch.Weights).backward();
        var figures = zeros(
            _users,
            _setup.Objective.Figures.Count,
            dtype: ScalarType.Float32,
            device: batch.Weights.device
        );
        figures.index_add_(0, batch.UserOfRow, rowFigures.detach() * batch.Weights.unsqueeze(1), Scalars.One);
        return new(
            replica.TakeGradients().DetachFromDisposeScope(),
            figures.DetachFromDisposeScope(),
            batch.TokenCount
        );
    }

    /// <summary>Sum in the order of the passes, so that it does not depend on which ended first.</summary>
    static Tensor Sum(PassResult[] results, Func<PassResult, Tensor> part)
    {
        var sum = part(results[0]).clone();
        foreach (var result in results.Skip(1))
        {
            sum.add_(part(result), Scalars.One);
        }

        return sum;
    }

    void Update(int[] active, Tensor gradients, Tensor norms, float[] read)
    {
        var values = _setup.Weights.Values;
        var width = _setup.Objective.Figures.Count + 1;
        var rates = new double?[_users];
        foreach (var user in active)
        {
            var (loss, norm) = (read[user * width], read[(user + 1) * width - 1]);
            _states[user].Steps++;
            if (float.IsFinite(loss) && float.IsFinite(norm))
            {
                _states[user].LastLoss = loss;
                rates[user] = _options.Rate(_step, _totals[user]);
                _lastGood[user].copy_(values[user]);
                continue;
            }
            if (!float.IsFinite(loss))
            {
                values[user].copy_(_lastGood[user]);
            }

            _states[user].Status = TrainingStatus.Diverged;
            _run.Logger.LogWarning(
                "{Stage}: user {User} diverged at step {Step} (loss {Loss}, gradient norm {Norm}); his last good adapter is kept, the others go on. Lower the learning rate.",
                _run.Stage,
                _setup.Names[user],
                _step + 1,
                loss,
                norm
            );
        }
        gradients.mul_(GradientClipping.ComputeCoefficients(norms, _options.MaxGradNorm).unsqueeze(1));
        _optimiser.Step(values, gradients, rates);
        _setup.Weights.CopyToModel();
    }

    void EndStep(int[] active)
    {
        foreach (
            var user in active.Where(user =>
                _states[user].Status == TrainingStatus.InProgress && _step >= _totals[user]
            )
        )
        {
            _states[user].Status = TrainingStatus.Finished;
        }

        if (_development is null)
        {
            return;
        }

        int[] due =
        [
            .. active.Where(user =>
                _states[user].Status != TrainingStatus.Diverged && _development.IsDue(_step, user, _totals[user])
            ),
        ];
        if (due.Length > 0)
        {
            _development.Evaluate(_step, due);
        }

        _development.RestoreBest([.. active.Where(user => _states[user].Status != TrainingStatus.InProgress)]);
    }

    public void Dispose()
    {
        _workers.Dispose();
        _optimiser.Dispose();
        _lastGood.Dispose();
        _development?.Dispose();
        NativeHeap.ReleaseFreedMemory();
    }
}

/// <summary>What a loop works on.</summary>
sealed class TrainingSetup
{
    /// <summary>Model, options and sinks.</summary>
    public required TrainingContext Context { get; init; }

    /// <summary>What is minimised.</summary>
    public required ITrainingObjective Objective { get; init; }

    /// <summary>What is trained; owned by the caller.</summary>
    public required TrainedWeights Weights { get; init; }

    /// <summary>Makes a worker's view of what is trained.</summary>
    public required Func<TrainingReplica> CreateReplica { get; init; }

    /// <summary>Whether adapters drop inputs.</summary>
    public bool Dropout { get; init; }

    /// <summary>Names of the users.</summary>
    public required IReadOnlyList<string> Names { get; init; }

    /// <summary>Seeds of the users.</summary>
    public required IReadOnlyList<long> Seeds { get; init; }

    /// <summary>Rows of each user.</summary>
    public required IReadOnlyList<TrainingRow[]> Rows { get; init; }

    /// <summary>Development rows of each user; null for none.</summary>
    public IReadOnlyList<TrainingRow[]>? DevelopmentRows { get; init; }

    /// <summary>Objective of the development rows, which for preference pairs knows other references.</summary>
    public ITrainingObjective? DevelopmentObjective { get; init; }

    /// <summary>What else a checkpoint depends on, name to hash.</summary>
    public IReadOnlyDictionary<string, string> Fingerprint { get; init; } = new Dictionary<string, string>();
}

/// <summary>Where one user stands; part of a checkpoint.</summary>
sealed class UserTrainingState
{
    public TrainingStatus Status { get; set; }

    public long Steps { get; set; }

    public double? LastLoss { get; set; }

    public double? BestDevelopmentLoss { get; set; }

    public int EvaluationsSinceBest { get; set; }
}
