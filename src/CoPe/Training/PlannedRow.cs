namespace CoPe.Training;

/// <summary>A row with the part it plays in a step.</summary>
/// <param name="User">Whose row it is.</param>
/// <param name="Example">Which of his rows.</param>
/// <param name="Row">The tokens.</param>
/// <param name="Weight">What its loss is multiplied by: one over the mass of the user's whole batch.</param>
/// <param name="TokenWeight">One over the labels of the first answers in the user's whole batch.</param>
internal sealed record PlannedRow(int User, int Example, TrainingRow Row, double Weight, double TokenWeight)
{
    /// <summary>The rows of a user's whole batch.</summary>
    /// <param name="objective">Says what a row counts.</param>
    /// <param name="user">The user.</param>
    /// <param name="rows">All his rows.</param>
    /// <param name="batch">Those of the batch.</param>
    public static IEnumerable<PlannedRow> OfBatch(ITrainingObjective objective, int user, TrainingRow[] rows, IReadOnlyList<int> batch)
    {
        var mass = batch.Sum(example => objective.Mass(rows[example]));
        var tokens = batch.Sum(example => (double)rows[example].FirstLabels);
        return batch.Select(example => new PlannedRow(user, example, rows[example], 1 / mass, 1 / tokens));
    }
}
