namespace CoPe.Experiments.Tasks;

/// <summary>
/// A task of LaMP or LongLaMP, as a value: everything that differs between tasks is said in its task file, of which
/// this is all but the wording.
/// </summary>
public sealed record LampTask
{
    /// <summary>Name, which is also the name of the data folder, for example <c>scholarly_title</c>.</summary>
    public required string Name { get; init; }

    /// <summary>
    /// The benchmark's own identifier, for example <c>LaMP_5</c>, as label and prediction files carry it.
    /// </summary>
    public required string BenchmarkId { get; init; }

    /// <summary>
    /// Whether a label or prediction file means this task: by its name, by the benchmark's identifier, or by
    /// <c>LaMP_2</c>, as the benchmark's own files call either task of that number.
    /// </summary>
    public bool MatchesName(string name) =>
        name == Name
        || name == BenchmarkId
        || (
            BenchmarkId.Length == name.Length + 1
            && BenchmarkId.StartsWith(name, StringComparison.Ordinal)
            && char.IsLetter(BenchmarkId[^1])
        );

    /// <summary>Fields of a history item that make the input, in the order of the prompt.</summary>
    public required IReadOnlyList<string> InputFields { get; init; }

    /// <summary>The field of a history item that the user wrote in answer.</summary>
    public required string OutputField { get; init; }

    /// <summary>What the task asks for.</summary>
    public TaskOutcome Outcome { get; init; } = TaskOutcome.Text;

    /// <summary>Most tokens to generate for one answer.</summary>
    public int MaxNewTokens { get; init; } = 100;

    /// <summary>Repetition penalty of the published runs; 1 is none.</summary>
    public double RepetitionPenalty { get; init; } = 1.0;

    /// <summary>
    /// Words a model may put before its answer, as in <c>Title: ...</c>; <see cref="AnswerExtractor"/> takes one of
    /// them off the front.
    /// </summary>
    public IReadOnlyList<string> AnswerLabels { get; init; } = [];

    /// <summary>
    /// Every answer there is, of a task that asks for a category; macro F1 is averaged over them. Empty: those that the
    /// golds have.
    /// </summary>
    public IReadOnlyList<string> Labels { get; init; } = [];

    /// <summary>
    /// Whether an answer is one line, as a title is; whatever follows its first line that is not blank is then no part
    /// of it.
    /// </summary>
    public bool SingleLineAnswer { get; init; }
}

/// <summary>What a task asks for, which decides its metrics.</summary>
public enum TaskOutcome
{
    /// <summary>Free text: ROUGE and METEOR.</summary>
    Text,

    /// <summary>One of a set of labels: accuracy and macro F1.</summary>
    Category,

    /// <summary>A number: MAE and RMSE.</summary>
    Rating,
}
