namespace CoPe.Evaluation;

/// <summary>How predictions are scored.</summary>
public sealed record EvaluationOptions
{
    /// <summary>What to do when ids do not match.</summary>
    public IdMismatch Mismatch { get; init; } = IdMismatch.Error;

    /// <summary>How values become one number; the reference reports the bootstrap median.</summary>
    public AverageKind Average { get; init; } = AverageKind.PlainMean;

    /// <summary>Seed of the bootstrap median.</summary>
    public int Seed { get; init; } = 42;

    /// <summary>Whether ROUGE compares Porter stems; off in the reference.</summary>
    public bool RougeStemmer { get; init; }

    /// <summary>All labels of a category task, for macro F1; null takes those of the task and of the golds.</summary>
    public IReadOnlyList<string>? Categories { get; init; }

    /// <summary>The scale of a rating task: an answer that is no number counts as the end farther from the gold, as in LaMP.</summary>
    public RatingScale Scale { get; init; } = RatingScale.OneToFive;
}
