namespace CoPe.Training;

/// <summary>What a loop minimises: the only part in which supervised, preference and pre-training differ.</summary>
internal interface ITrainingObjective
{
    /// <summary>Names of the figures, the loss first.</summary>
    IReadOnlyList<string> Figures { get; }

    /// <summary>What a row counts in its user's mean: its labels, or 1.</summary>
    double Mass(TrainingRow row);

    /// <summary>Figures of each row <c>[rows, figures]</c> float32, to be summed over a user's batch and divided by its mass.</summary>
    /// <param name="labelLogits">Logits at the labels <c>[labels, vocab]</c> float32.</param>
    /// <param name="batch">The pass.</param>
    Tensor RowFigures(Tensor labelLogits, PassBatch batch);
}
