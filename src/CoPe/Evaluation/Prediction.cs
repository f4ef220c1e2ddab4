namespace CoPe.Evaluation;

/// <summary>One answer: of a model in a prediction file, of the user in a label file.</summary>
/// <param name="Id">The query it answers.</param>
/// <param name="Output">The text; may be empty.</param>
public sealed record Prediction(string Id, string Output);
