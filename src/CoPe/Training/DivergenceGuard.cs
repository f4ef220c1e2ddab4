using Microsoft.Extensions.Logging;
using static TorchSharp.torch;

namespace CoPe.Training;

/// <summary>
/// Keeps the weights of each user's lowest loss and gives them back to users whose training diverges: the loss or its
/// gradient is no longer a number, or the examples of their first step cost far more after the last step than before
/// the first. Where a user stops early, the development loss decides instead, and its best weights are kept.
/// </summary>
sealed class DivergenceGuard : IDisposable
{
    /// <summary>Weight of the past in the smoothed loss, by which the lowest is found.</summary>
    const double Smoothing = 0.7;

    readonly TrainingSetup _setup;
    readonly TrainingContext _context;
    readonly BatchSampler[] _samplers;
    readonly UserTrainingState[] _states;
    readonly FigureEvaluator _evaluator;

    public DivergenceGuard(
        TrainingSetup setup,
        BatchSampler[] samplers,
        UserTrainingState[] states,
        PassWorkers workers
    )
    {
        _setup = setup;
        _context = setup.Context;
        _samplers = samplers;
        _states = states;
        _evaluator = new(setup, workers);
        KeptWeights = setup.Weights.Values.clone().DetachFromDisposeScope();
    }

    /// <summary>Each user's weights at their lowest smoothed loss <c>[users, weights]</c>.</summary>
    public Tensor KeptWeights { get; }

    /// <summary>
    /// The loss above which a user has diverged who began with another: by a quarter of it, and by one at least. In
    /// nats of a token, one is a perplexity 2.7 times as high.
    /// <code>limit = first + max(1, first / 4)</code>
    /// </summary>
    public static double ComputeLimit(double first) => first + Math.Max(1, first / 4);

    /// <summary>
    /// Takes the figures of a user's step, which are those of their weights before it. False where the user has
    /// diverged, has the kept weights again, and takes no step.
    /// </summary>
    public bool Observe(int user, StepFigures figures)
    {
        var state = _states[user];
        var loss = figures[user, RowFigures.LossName];
        if (!float.IsFinite(loss) || !float.IsFinite(figures[user, StepFigures.GradientNorm]))
        {
            EndDiverged(user, loss);
            return false;
        }
        if (state.Steps == 1)
        {
            state.FiguresBefore = SelectFinite(user, figures);
        }
        state.LastLoss = loss;
        state.SmoothedLoss = Smooth(state, loss);
        if (state.LowestLoss is not { } lowest || state.SmoothedLoss < lowest)
        {
            state.LowestLoss = state.SmoothedLoss;
            KeptWeights[user].copy_(_setup.Weights.Values[user]);
        }
        return true;
    }

    /// <summary>
    /// Measures the examples of the first step again for users whose training has ended, and ends those as diverged
    /// whose loss has exploded.
    /// </summary>
    public void Close(IReadOnlyList<int> users)
    {
        Measure(users);
        var exploded = users.Where(HasExploded).ToList();
        foreach (var user in exploded)
        {
            EndDiverged(user, _states[user].FiguresAfter?.GetValueOrDefault(RowFigures.LossName, double.NaN));
        }
        if (exploded.Count > 0)
        {
            Measure(exploded);
        }
    }

    /// <summary>
    /// The exponential mean of the losses, corrected for its beginning:
    /// <code>s_t = s_(t-1) + (1 - b) / (1 - b^t) * (loss_t - s_(t-1))</code>
    /// </summary>
    static double Smooth(UserTrainingState state, double loss)
    {
        if (state.SmoothedLoss is not { } before)
        {
            return loss;
        }
        return before + (1 - Smoothing) / (1 - Math.Pow(Smoothing, state.Steps)) * (loss - before);
    }

    static Dictionary<string, double> SelectFinite(int user, StepFigures figures) =>
        figures
            .Names.Where(name => name != StepFigures.GradientNorm && float.IsFinite(figures[user, name]))
            .ToDictionary(name => name, name => (double)figures[user, name]);

    void Measure(IReadOnlyList<int> users)
    {
        _setup.Weights.CopyToModel();
        using var scope = NewDisposeScope();
        foreach (var (user, figures) in _evaluator.Compute(users.SelectMany(CreateFirstBatch)))
        {
            _states[user].FiguresAfter = figures;
        }
    }

    IEnumerable<PlannedRow> CreateFirstBatch(int user)
    {
        int[] examples = [.. _samplers[user].ExamplesOfStep(0)];
        return PlannedRow.CreateBatch(_setup.Objective, user, _setup.Users[user].Rows, examples);
    }

    bool HasExploded(int user)
    {
        var state = _states[user];
        if (state.Status == TrainingStatus.Diverged)
        {
            return false;
        }
        if (StopsEarly(state))
        {
            return state.BestDevelopmentStep == 0 && IsAbove(state.FirstDevelopmentLoss, state.LastDevelopmentLoss);
        }
        return IsAbove(GetLoss(state.FiguresBefore), GetLoss(state.FiguresAfter));
    }

    bool StopsEarly(UserTrainingState state) =>
        _context.Options.EarlyStopping is not null && state.BestDevelopmentLoss is not null;

    static double? GetLoss(IReadOnlyDictionary<string, double>? figures) =>
        figures is not null && figures.TryGetValue(RowFigures.LossName, out var loss) ? loss : null;

    /// <summary>Where the first loss is not known, nothing is; a later one that is absent was not a number.</summary>
    static bool IsAbove(double? first, double? last) =>
        first is { } begun && (last is not { } ended || ended > ComputeLimit(begun));

    void EndDiverged(int user, double? loss)
    {
        var state = _states[user];
        state.Status = TrainingStatus.Diverged;
        if (!StopsEarly(state))
        {
            _setup.Weights.Values[user].copy_(KeptWeights[user]);
        }
        _context.Logger.LogDebug(
            "{Stage}: user {User} diverged at step {Step}: loss {First} at first, {Loss} now",
            _context.Stage,
            _setup.Users[user].Name,
            state.Steps,
            GetLoss(state.FiguresBefore),
            loss
        );
    }

    public void Dispose() => KeptWeights.Dispose();
}
