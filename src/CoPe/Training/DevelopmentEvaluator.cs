using static TorchSharp.torch;

namespace CoPe.Training;

/// <summary>
/// Measures the development loss of users as they train, keeps each one's best weights and stops those who no longer
/// improve.
/// </summary>
sealed class DevelopmentEvaluator : IDisposable
{
    readonly TrainingSetup _setup;
    readonly UserTrainingState[] _states;
    readonly PassWorkers _workers;
    readonly TrainingOptions _options;

    public DevelopmentEvaluator(TrainingSetup setup, UserTrainingState[] states, PassWorkers workers)
    {
        _setup = setup;
        _workers = workers;
        _states = states;
        _options = setup.Context.Options;
        BestWeights = _options.EarlyStopping is null ? null : setup.Weights.Values.clone().DetachFromDisposeScope();
    }

    /// <summary>
    /// Each user's weights at his lowest development loss <c>[users, weights]</c>; null if training goes to the end
    /// anyway.
    /// </summary>
    public Tensor? BestWeights { get; }

    /// <summary>Whether a user is to be measured after so many steps.</summary>
    public bool IsDue(long step, int user, long total)
    {
        var every = _options.EarlyStopping is { EverySteps: > 0 } stopping
            ? stopping.EverySteps
            : _options.StepsPerEpoch(_setup.Rows[user].Length);
        return _setup.DevelopmentRows![user].Length > 0 && (step % every == 0 || step >= total);
    }

    /// <summary>Measures users, and stops those whose patience is at its end.</summary>
    public void Evaluate(long step, int[] users)
    {
        users = [.. users.Where(user => _setup.DevelopmentRows![user].Length > 0)];
        if (users.Length == 0)
        {
            return;
        }

        using var scope = NewDisposeScope();
        var losses = ComputeLosses(users);
        foreach (var user in users)
        {
            var loss = (double)losses[user];
            var state = _states[user];
            _setup.Context.Metrics?.Invoke(
                new()
                {
                    Stage = _setup.Context.Stage,
                    User = _setup.Names[user],
                    Step = step,
                    Figures = new Dictionary<string, double> { ["development loss"] = loss },
                }
            );
            if (!(state.BestDevelopmentLoss <= loss) && double.IsFinite(loss))
            {
                (state.BestDevelopmentLoss, state.EvaluationsSinceBest) = (loss, 0);
                BestWeights?[user].copy_(_setup.Weights.Values[user]);
            }
            else if (
                ++state.EvaluationsSinceBest >= _options.EarlyStopping?.Patience
                && state.Status == TrainingStatus.InProgress
            )
            {
                state.Status = TrainingStatus.StoppedEarly;
            }
        }
    }

    /// <summary>Gives users who ended their best weights.</summary>
    public void RestoreBest(int[] users)
    {
        if (BestWeights is null)
        {
            return;
        }

        using var scope = NewDisposeScope();
        foreach (var user in users.Where(user => _states[user].BestDevelopmentLoss is not null))
        {
            _setup.Weights.Values[user].copy_(BestWeights[user]);
        }
    }

    float[] ComputeLosses(int[] users)
    {
        var objective = _setup.DevelopmentObjective ?? _setup.Objective;
        var passes = PassPlanner.Split(
            users.SelectMany(user =>
                PlannedRow.CreateBatch(
                    objective,
                    user,
                    _setup.DevelopmentRows![user],
                    [.. Enumerable.Range(0, _setup.DevelopmentRows[user].Length)]
                )
            ),
            _options.TokensPerPass,
            _workers.Count
        );
        var losses = new float[_setup.Names.Count];
        foreach (
            var (user, loss) in _workers
                .Run(
                    passes,
                    (replica, rows) =>
                        OutOfMemoryGuard.Run(_setup.Context, rows, () => ComputeRowLosses(objective, replica, rows))
                )
                .SelectMany(ofPass => ofPass)
        )
        {
            losses[user] += loss;
        }

        return losses;
    }

    /// <summary>Each row's user and part in his mean loss.</summary>
    (int User, float Loss)[] ComputeRowLosses(
        ITrainingObjective objective,
        TrainingReplica replica,
        IReadOnlyList<PlannedRow> rows
    )
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        using var batch = new PassBatch(rows, _setup.Weights.Values.device);
        using var adapters = replica.Adapters?.SelectRows(rows);
        var losses =
            objective.ComputeFigures(LabelLogits.Compute(replica.Model, batch, adapters), batch).select(1, 0)
            * batch.Weights; // [rows]
        return [.. losses.cpu().data<float>().ToArray().Select((loss, row) => (rows[row].User, loss))];
    }

    public void Dispose() => BestWeights?.Dispose();
}
