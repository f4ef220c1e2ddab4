using static TorchSharp.torch;

namespace CoPe.Training;

/// <summary>Measures the development loss of users as they train, keeps each one's best weights and stops those who no longer improve.</summary>
internal sealed class DevelopmentWatch : IDisposable
{
    readonly LoopSetup setup;
    readonly UserState[] states;
    readonly PassWorkers workers;
    readonly TrainingOptions options;

    public DevelopmentWatch(LoopSetup setup, UserState[] states, PassWorkers workers)
    {
        this.setup = setup;
        this.workers = workers;
        this.states = states;
        options = setup.Run.Options;
        Best = options.EarlyStopping is null ? null : setup.Weights.Values.clone().DetachFromDisposeScope();
    }

    /// <summary>Each user's weights at his lowest development loss <c>[users, weights]</c>; null if training goes to the end anyway.</summary>
    public Tensor? Best { get; }

    /// <summary>Whether a user is to be measured after so many steps.</summary>
    public bool IsDue(long step, int user, long total)
    {
        var every = options.EarlyStopping is { EverySteps: > 0 } stopping ? stopping.EverySteps : options.StepsPerEpoch(setup.Rows[user].Length);
        return setup.DevelopmentRows![user].Length > 0 && (step % every == 0 || step >= total);
    }

    /// <summary>Measures users, and stops those whose patience is at its end.</summary>
    public void Evaluate(long step, int[] users)
    {
        users = [.. users.Where(user => setup.DevelopmentRows![user].Length > 0)];
        if (users.Length == 0) return;
        using var scope = NewDisposeScope();
        var losses = Losses(users);
        foreach (var user in users)
        {
            var loss = (double)losses[user];
            var state = states[user];
            setup.Run.Metrics?.Invoke(new() { Stage = setup.Run.Stage, User = setup.Names[user], Step = step, Figures = new Dictionary<string, double> { ["development loss"] = loss } });
            if (!(state.BestDevelopmentLoss <= loss) && double.IsFinite(loss))
            {
                (state.BestDevelopmentLoss, state.EvaluationsSinceBest) = (loss, 0);
                Best?[user].copy_(setup.Weights.Values[user]);
            }
            else if (++state.EvaluationsSinceBest >= options.EarlyStopping?.Patience && state.End == TrainingEnd.None)
                state.End = TrainingEnd.StoppedEarly;
        }
    }

    /// <summary>Gives users who ended their best weights.</summary>
    public void KeepBest(int[] users)
    {
        if (Best is null) return;
        using var scope = NewDisposeScope();
        foreach (var user in users.Where(user => states[user].BestDevelopmentLoss is not null)) setup.Weights.Values[user].copy_(Best[user]);
    }

    float[] Losses(int[] users)
    {
        var objective = setup.DevelopmentObjective ?? setup.Objective;
        var passes = PassPlanner.Split(users.SelectMany(user => PlannedRow.OfBatch(objective, user, setup.DevelopmentRows![user], [.. Enumerable.Range(0, setup.DevelopmentRows[user].Length)])), options.MaxTokensPerPass, workers.Count);
        var losses = new float[setup.Names.Count];
        foreach (var (user, loss) in workers.Run(passes, (replica, rows) => MemoryLimit.Guard(setup.Run, rows, () => RowLosses(objective, replica, rows))).SelectMany(ofPass => ofPass)) losses[user] += loss;
        return losses;
    }

    /// <summary>Each row's user and part in his mean loss.</summary>
    (int User, float Loss)[] RowLosses(ITrainingObjective objective, TrainingReplica replica, IReadOnlyList<PlannedRow> rows)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        using var batch = new PassBatch(rows, setup.Weights.Values.device);
        using var adapters = replica.Worn?.Of(rows);
        var losses = objective.RowFigures(LabelLogits.Of(replica.Model, batch, adapters), batch).select(1, 0) * batch.Weights; // [rows]
        return [.. losses.cpu().data<float>().ToArray().Select((loss, row) => (rows[row].User, loss))];
    }

    public void Dispose() => Best?.Dispose();
}
