using CoPe.Kernels;
using Microsoft.Extensions.Logging;
using static TorchSharp.torch;

namespace CoPe.Training;

/// <summary>
/// The one training loop. A step takes the next batch of every user still training, in as few passes as the token budget allows, and then moves each user's
/// weights by his own gradient, clipped by his own norm, at his own learning rate. The loss of a step is the sum over users of the mean over each one's batch.
/// </summary>
internal sealed class TrainingLoop : IDisposable
{
    readonly LoopSetup setup;
    readonly TrainingRun run;
    readonly TrainingOptions options;
    readonly int users;
    readonly long[] totals;
    readonly DataOrder[] orders;
    readonly UserState[] states;
    readonly AdamW optimiser;
    readonly PassWorkers workers;
    readonly Tensor lastGood; // [users, weights]: the weights that gave each user's last finite loss
    readonly DevelopmentWatch? development;
    readonly LoopReport report;
    readonly LoopCheckpoint checkpoint;
    long step;

    public TrainingLoop(LoopSetup setup)
    {
        this.setup = setup;
        run = setup.Run;
        options = run.Options;
        users = setup.Names.Count;
        totals = [.. setup.Rows.Select(rows => options.Steps(rows.Length))];
        orders = [.. setup.Rows.Select((rows, user) => new DataOrder(rows.Length, options.ExamplesPerStep(rows.Length), options.Shuffle, setup.Seeds[user]))];
        states = [.. totals.Select(total => new UserState { End = total == 0 ? TrainingEnd.NoExamples : TrainingEnd.None })];
        var values = setup.Weights.Values;
        optimiser = new AdamW(users, values.shape[1], setup.Weights.DecayedWidth, options.Optimiser, values.device);
        lastGood = values.clone().DetachFromDisposeScope();
        workers = new PassWorkers(setup.Replicate, options.Workers ?? TorchThreads.ForPasses(values.device, run.Model.Weights.Bytes));
        development = setup.DevelopmentRows is null ? null : new DevelopmentWatch(setup, states, workers);
        report = new LoopReport(setup, totals, states);
        checkpoint = new LoopCheckpoint(setup, optimiser, lastGood, development?.Best, states);
    }

    /// <summary>Trains to each user's end, from the last checkpoint if there is one.</summary>
    /// <exception cref="OperationCanceledException">Cancelled at a step boundary, after saving.</exception>
    public IReadOnlyList<TrainingOutcome> Run(IProgress<StageProgress>? progress, CancellationToken cancellation)
    {
        if (checkpoint.TryRestore() is { } restored)
            step = restored;
        else
            development?.Evaluate(step, StillTraining());
        while (StillTraining() is { Length: > 0 } active)
        {
            if (cancellation.IsCancellationRequested)
            {
                checkpoint.Save(step);
                cancellation.ThrowIfCancellationRequested();
            }
            Step(active, progress);
            step++;
            EndStep(active);
            checkpoint.SaveIfDue(step);
        }
        setup.Weights.Publish();
        return report.Outcomes();
    }

    int[] StillTraining() => [.. Enumerable.Range(0, users).Where(user => states[user].End == TrainingEnd.None)];

    void Step(int[] active, IProgress<StageProgress>? progress)
    {
        using var scope = NewDisposeScope();
        var started = run.Time.GetTimestamp();
        var passes = PassPlanner.Split(active.SelectMany(user => PlannedRow.OfBatch(setup.Objective, user, setup.Rows[user], [.. orders[user].Of(step)])), options.MaxTokensPerPass, workers.Count);
        var results = workers.Run(passes, (replica, pass) => MemoryLimit.Guard(run, pass, () => Pass(replica, pass)));
        var gradients = Sum(results, result => result.Gradients);
        var figures = Sum(results, result => result.Figures);
        var tokens = results.Sum(result => result.Tokens);
        foreach (var result in results) result.Dispose();
        var norms = GradientClipping.Norms(gradients);
        var read = cat([figures, norms.unsqueeze(1)], 1).cpu().data<float>().ToArray(); // the step's only wait for the device
        Update(active, gradients, norms, read);
        report.Step(new(step, active, read, tokens, run.Time.GetElapsedTime(started)), progress);
    }

    /// <summary>Forward and backward of one pass; dropout draws by seeds of user, step and example: nothing to save, and nobody else's.</summary>
    PassResult Pass(TrainingReplica replica, IReadOnlyList<PlannedRow> rows)
    {
        using var scope = NewDisposeScope();
        using var batch = new PassBatch(rows, setup.Weights.Values.device);
        using var adapters = setup.Dropout
            ? replica.Worn?.Of(rows, [.. rows.Select(row => SeedStream.Derive(setup.Seeds[row.User], step, row.Example))])
            : replica.Worn?.Of(rows);
        var rowFigures = setup.Objective.RowFigures(LabelLogits.Of(replica.Model, batch, adapters, options.RecomputeLayers), batch); // [rows, figures]
        rowFigures.select(1, 0).dot(batch.Weights).backward();
        var figures = zeros(users, setup.Objective.Figures.Count, dtype: ScalarType.Float32, device: batch.Weights.device);
        figures.index_add_(0, batch.UserOfRow, rowFigures.detach() * batch.Weights.unsqueeze(1), Scalars.One);
        return new(replica.TakeGradients().DetachFromDisposeScope(), figures.DetachFromDisposeScope(), batch.TokenCount);
    }

    /// <summary>Sum in the order of the passes, so that it does not depend on which ended first.</summary>
    static Tensor Sum(PassResult[] results, Func<PassResult, Tensor> part)
    {
        var sum = part(results[0]).clone();
        foreach (var result in results.Skip(1)) sum.add_(part(result), Scalars.One);
        return sum;
    }

    void Update(int[] active, Tensor gradients, Tensor norms, float[] read)
    {
        var values = setup.Weights.Values;
        var width = setup.Objective.Figures.Count + 1;
        var rates = new double?[users];
        foreach (var user in active)
        {
            var (loss, norm) = (read[user * width], read[(user + 1) * width - 1]);
            states[user].Steps++;
            if (float.IsFinite(loss) && float.IsFinite(norm))
            {
                states[user].LastLoss = loss;
                rates[user] = options.Rate(step, totals[user]);
                lastGood[user].copy_(values[user]);
                continue;
            }
            if (!float.IsFinite(loss)) values[user].copy_(lastGood[user]);
            states[user].End = TrainingEnd.Diverged;
            run.Logger.LogWarning("{Stage}: user {User} diverged at step {Step} (loss {Loss}, gradient norm {Norm}); his last good adapter is kept, the others go on. Lower the learning rate.",
                run.Stage, setup.Names[user], step + 1, loss, norm);
        }
        gradients.mul_(GradientClipping.Coefficients(norms, options.MaxGradNorm).unsqueeze(1));
        optimiser.Step(values, gradients, rates);
        setup.Weights.Publish();
    }

    void EndStep(int[] active)
    {
        foreach (var user in active.Where(user => states[user].End == TrainingEnd.None && step >= totals[user])) states[user].End = TrainingEnd.Finished;
        if (development is null) return;
        int[] due = [.. active.Where(user => states[user].End != TrainingEnd.Diverged && development.IsDue(step, user, totals[user]))];
        if (due.Length > 0) development.Evaluate(step, due);
        development.KeepBest([.. active.Where(user => states[user].End != TrainingEnd.None)]);
    }

    public void Dispose()
    {
        workers.Dispose();
        optimiser.Dispose();
        lastGood.Dispose();
        development?.Dispose();
        NativeHeap.GiveBack();
    }
}
