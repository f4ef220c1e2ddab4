namespace CoPe.Training;

/// <summary>A row with the part it plays in a step.</summary>
/// <param name="User">Whose row it is.</param>
/// <param name="Example">Which of his rows.</param>
/// <param name="Row">The tokens.</param>
/// <param name="Weight">What its loss is multiplied by: one over the mass of the user's whole batch.</param>
internal sealed record PlannedRow(int User, int Example, TrainingRow Row, double Weight);
