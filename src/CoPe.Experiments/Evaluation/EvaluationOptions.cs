namespace CoPe.Experiments.Evaluation;

/// <summary>How predictions are scored.</summary>
public sealed record EvaluationOptions
{
    /// <summary>Whether ROUGE compares Porter stems instead of words; off in the reference.</summary>
    [OptionKey("stemmer")]
    public bool RougeStemmer { get; init; }

    /// <summary>What a word is to ROUGE, to lengths, variety, copying and style.</summary>
    public WordTokenizerKind Tokenizer { get; init; } = WordTokenizerKind.RougeScore;

    /// <summary>
    /// How values of queries become one number; the reference reports the median of an unseeded bootstrap.
    /// </summary>
    public AverageKind Average { get; init; } = AverageKind.PlainMean;

    /// <summary>What to do when ids do not match.</summary>
    [CodeOnly]
    public IdMismatch Mismatch { get; init; } = IdMismatch.Error;

    /// <summary>Seed of the bootstrap median.</summary>
    [CodeOnly]
    public int Seed { get; init; } = 42;

    /// <summary>All labels of a category task, for macro F1; null takes those of the task and of the golds.</summary>
    [CodeOnly]
    public IReadOnlyList<string>? Categories { get; init; }

    /// <summary>
    /// The scale of a rating task: an answer that is no number counts as the end farther from the gold, as in LaMP.
    /// </summary>
    [CodeOnly]
    public RatingScale Scale { get; init; } = RatingScale.OneToFive;
}

/// <summary>What counts as a word.</summary>
public enum WordTokenizerKind
{
    /// <summary>
    /// To ROUGE runs of a to z and 0 to 9, as in the package <c>rouge_score</c> and so in the reference; to other
    /// metrics what stands between blanks. Texts in other letters score 0.
    /// </summary>
    RougeScore,

    /// <summary>
    /// Runs of letters and digits of any script; of a script without blanks between words, each character.
    /// </summary>
    Unicode,
}

/// <summary>What to do when the ids of predictions and golds differ.</summary>
public enum IdMismatch
{
    /// <summary>Stop with an error that lists them.</summary>
    Error,

    /// <summary>Score those that match; list the others in the report.</summary>
    Report,
}

/// <summary>How the values of queries become one number.</summary>
public enum AverageKind
{
    /// <summary>Their plain mean.</summary>
    PlainMean,

    /// <summary>
    /// For ROUGE the median of the means of 1,000 resamples, as Hugging Face's <c>evaluate</c> and so the reference
    /// report it; else the plain mean.
    /// </summary>
    BootstrapMedian,
}
