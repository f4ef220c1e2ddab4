using static TorchSharp.torch;

namespace CoPe.Training;

/// <summary>Measures users' rows under their weights as they are, without gradients and without dropout.</summary>
sealed class FigureEvaluator(TrainingSetup setup, PassWorkers workers)
{
    readonly TrainingContext _context = setup.Context;

    /// <summary>
    /// The objective's figures by name, each the mean over a user's rows; what is not a number is left out.
    /// </summary>
    /// <param name="rows">The rows, each user's weighted as one batch.</param>
    /// <returns>The figures of every user who has a row.</returns>
    public IReadOnlyDictionary<int, IReadOnlyDictionary<string, double>> Compute(IEnumerable<PlannedRow> rows)
    {
        var passes = TrainingBatch.SplitIntoPasses(rows, _context.Options.TokensPerPass, workers.Count);
        var measured = workers.Run(
            passes,
            (replica, pass) => OutOfMemoryGuard.Run(_context, pass, () => ComputeRows(replica, pass))
        );
        return measured
            .SelectMany(pass => pass)
            .GroupBy(row => row.User)
            .ToDictionary(
                user => user.Key,
                IReadOnlyDictionary<string, double> (user) => Sum([.. user.Select(row => row.Figures)])
            );
    }

    static Dictionary<string, double> Sum(List<Dictionary<string, double>> rows) =>
        rows[0]
            .Keys.Select(name => KeyValuePair.Create(name, rows.Sum(row => row[name])))
            .Where(figure => double.IsFinite(figure.Value))
            .ToDictionary();

    /// <summary>What each row adds to its user's means.</summary>
    List<RowMeasurement> ComputeRows(TrainingReplica replica, IReadOnlyList<PlannedRow> rows)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        using var batch = new TrainingBatch(rows, setup.Weights.Values.device, setup.Prompts);
        using var adapters = replica.Adapters?.SelectRows(rows);
        var figures = setup.Objective.ComputeFigures(batch.ComputeLabelLosses(replica.Model, adapters), batch);
        var names = figures.Names;
        var weighted = figures.Stack() * batch.Weights.unsqueeze(1); // [rows, figures]
        var values = weighted.cpu().data<float>().ToArray().Chunk(names.Count).ToArray();
        return
        [
            .. rows.Select(
                (row, index) =>
                    new RowMeasurement(
                        row.User,
                        names
                            .Zip(values[index], (name, value) => KeyValuePair.Create(name, (double)value))
                            .ToDictionary()
                    )
            ),
        ];
    }

    readonly record struct RowMeasurement(int User, Dictionary<string, double> Figures);
}
