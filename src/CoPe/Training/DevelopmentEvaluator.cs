using static TorchSharp.torch;

namespace CoPe.Training;

/// <summary>
/// Measures the development loss of users as they train, keeps each one's best weights and stops those who no longer
/// improve.
/// </summary>
sealed class DevelopmentEvaluator : IDisposable
{
    readonly TrainingSetup _setup;
    readonly TrainingContext _context;
    readonly TrainingOptions _options;
    readonly UserTrainingState[] _states;
    readonly PassWorkers _workers;

    public DevelopmentEvaluator(TrainingSetup setup, UserTrainingState[] states, PassWorkers workers)
    {
        _setup = setup;
        _context = setup.Context;
        _options = _context.Options;
        _states = states;
        _workers = workers;
        BestWeights = _options.EarlyStopping is null ? null : setup.Weights.Values.clone().DetachFromDisposeScope();
    }

    /// <summary>
    /// Each user's weights at their lowest development loss <c>[users, weights]</c>; null without early stopping.
    /// </summary>
    public Tensor? BestWeights { get; }

    /// <summary>Whether a user is to be measured after so many steps.</summary>
    public bool IsDue(long step, int user, long totalSteps)
    {
        if (_setup.Users[user].DevelopmentRows.Count == 0)
        {
            return false;
        }
        var interval = _options.EarlyStopping is { EverySteps: > 0 } stopping
            ? stopping.EverySteps
            : _options.StepsPerEpoch(_setup.Users[user].Rows.Count);
        return step % interval == 0 || step >= totalSteps;
    }

    /// <summary>Measures users, and stops those whose patience is at its end.</summary>
    public void Evaluate(long step, int[] users)
    {
        users = [.. users.Where(user => _setup.Users[user].DevelopmentRows.Count > 0)];
        if (users.Length == 0)
        {
            return;
        }
        using var scope = NewDisposeScope();
        var losses = ComputeLosses(users);
        foreach (var user in users)
        {
            ReportLoss(step, user, losses[user]);
            UpdateState(step, user, losses[user]);
        }
    }

    void ReportLoss(long step, int user, double loss) =>
        _context.Metrics?.Invoke(
            new()
            {
                Stage = _context.Stage,
                User = _setup.Users[user].Name,
                Step = step,
                Figures = new Dictionary<string, double> { ["development loss"] = loss },
            }
        );

    void UpdateState(long step, int user, double loss)
    {
        var state = _states[user];
        state.LastDevelopmentLoss = double.IsFinite(loss) ? loss : null;
        state.FirstDevelopmentLoss ??= state.LastDevelopmentLoss;
        var isBest = state.BestDevelopmentLoss is not { } best || loss < best;
        if (isBest && double.IsFinite(loss))
        {
            state.BestDevelopmentLoss = loss;
            state.BestDevelopmentStep = step;
            state.EvaluationsSinceBest = 0;
            BestWeights?[user].copy_(_setup.Weights.Values[user]);
            return;
        }
        state.EvaluationsSinceBest++;
        var isImpatient = state.EvaluationsSinceBest >= _options.EarlyStopping?.Patience;
        if (isImpatient && state.Status == TrainingStatus.InProgress)
        {
            state.Status = TrainingStatus.StoppedEarly;
        }
    }

    /// <summary>Gives users whose training ended their best weights.</summary>
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
        var rows = users.SelectMany(CreateBatch);
        var passes = TrainingBatch.SplitIntoPasses(rows, _options.TokensPerPass, _workers.Count);
        var rowLosses = _workers.Run(
            passes,
            (replica, pass) => OutOfMemoryGuard.Run(_context, pass, () => ComputeRowLosses(replica, pass))
        );
        var losses = new float[_setup.Users.Count];
        foreach (var (row, loss) in passes.SelectMany(pass => pass).Zip(rowLosses.SelectMany(pass => pass)))
        {
            losses[row.User] += loss;
        }
        return losses;
    }

    IEnumerable<PlannedRow> CreateBatch(int user)
    {
        var rows = _setup.Users[user].DevelopmentRows;
        return PlannedRow.CreateBatch(_setup.Objective, user, rows, [.. Enumerable.Range(0, rows.Count)]);
    }

    /// <summary>What each row adds to its user's mean loss.</summary>
    float[] ComputeRowLosses(TrainingReplica replica, IReadOnlyList<PlannedRow> rows)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        using var batch = new TrainingBatch(rows, _setup.Weights.Values.device, _setup.Prompts);
        using var adapters = replica.Adapters?.SelectRows(rows);
        var labelLosses = batch.ComputeLabelLosses(replica.Model, adapters); // [labels]
        var losses = _setup.Objective.ComputeFigures(labelLosses, batch).Loss * batch.Weights; // [rows]
        return losses.cpu().data<float>().ToArray();
    }

    public void Dispose() => BestWeights?.Dispose();
}
