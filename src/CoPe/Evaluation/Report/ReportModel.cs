namespace CoPe.Evaluation.Report;

/// <summary>
/// All a report shows, as plain values. Every part may be left empty: the report then says in a sentence that it is missing.
/// </summary>
public sealed record ReportModel
{
    /// <summary>Title, for example the task and the model.</summary>
    public required string Title { get; init; }

    /// <summary>Name of the run, for example its directory's name.</summary>
    public string RunName { get; init; } = "";

    /// <summary>The recipe as it was run, in YAML.</summary>
    public string RecipeYaml { get; init; } = "";

    /// <summary>Seeds, versions, data hashes, model, machine; grouped by <see cref="ReportFact.Group"/> in the order given.</summary>
    public IReadOnlyList<ReportFact> Facts { get; init; } = [];

    /// <summary>Wall-clock time of each stage, in the order they ran.</summary>
    public IReadOnlyList<StageTime> StageTimes { get; init; } = [];

    /// <summary>The results table.</summary>
    public ResultsTable Results { get; init; } = ResultsTable.Empty;

    /// <summary>The metric of the headline and of the first plots per user; null for the first of the table.</summary>
    public string? HeadlineMetric { get; init; }

    /// <summary>
    /// Pairs of methods compared user by user, the most important first: three make the headline, two are also drawn against
    /// history length and in every metric.
    /// </summary>
    public IReadOnlyList<MethodComparison> Comparisons { get; init; } = [];

    /// <summary>Paired tests.</summary>
    public IReadOnlyList<SignificanceRow> Significance { get; init; } = [];

    /// <summary>Scores per user, method and metric.</summary>
    public IReadOnlyList<UserScore> UserScores { get; init; } = [];

    /// <summary>Number of history items by user.</summary>
    public IReadOnlyDictionary<string, int> HistoryLengths { get; init; } = new Dictionary<string, int>();

    /// <summary>Training curves; panels stand in the order of their first curve.</summary>
    public IReadOnlyList<TrainingCurve> Curves { get; init; } = [];

    /// <summary>Implicit rewards of the preference pairs.</summary>
    public IReadOnlyList<RewardPair> Rewards { get; init; } = [];

    /// <summary>Likelihood of the gold texts by adapter.</summary>
    public IReadOnlyList<GoldLikelihood> GoldLikelihoods { get; init; } = [];

    /// <summary>Predictions token by token.</summary>
    public IReadOnlyList<TokenTrace> TokenTraces { get; init; } = [];

    /// <summary>Queries with the outputs of all methods.</summary>
    public IReadOnlyList<ReportExample> Examples { get; init; } = [];

    /// <summary>Most examples written, shared out evenly over the users; the report says how many were left out.</summary>
    public int MaxExamples { get; init; } = 300;

    /// <summary>Most token views written; the report says how many were left out.</summary>
    public int MaxTokenTraces { get; init; } = 24;
}
