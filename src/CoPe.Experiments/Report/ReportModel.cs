using CoPe.Experiments.Evaluation;

namespace CoPe.Experiments.Report;

/// <summary>
/// All a report shows, as plain values. Every part may be left empty: the report then says in a sentence that it is
/// missing.
/// </summary>
sealed record ReportModel
{
    /// <summary>Title, for example the task and the model.</summary>
    public required string Title { get; init; }

    /// <summary>Name of the run, for example its directory's name.</summary>
    public string RunName { get; init; } = "";

    /// <summary>The recipe as it was run, in YAML.</summary>
    public string RecipeYaml { get; init; } = "";

    /// <summary>
    /// Seeds, versions, data hashes, model, machine; grouped by <see cref="ReportFact.Group"/> in the order given.
    /// </summary>
    public IReadOnlyList<ReportFact> Facts { get; init; } = [];

    /// <summary>Wall-clock time of each stage, in the order they ran.</summary>
    public IReadOnlyList<StageTime> StageTimes { get; init; } = [];

    /// <summary>The results table.</summary>
    public ResultsTable Results { get; init; } = ResultsTable.Empty;

    /// <summary>The metric of the headline and of the first plots per user; null for the first of the table.</summary>
    public string? HeadlineMetric { get; init; }

    /// <summary>
    /// Pairs of methods compared user by user, the most important first: three make the headline, two are also drawn
    /// against history length and in every metric.
    /// </summary>
    public IReadOnlyList<MethodComparison> Comparisons { get; init; } = [];

    /// <summary>Paired tests.</summary>
    public IReadOnlyList<SignificanceRow> Significance { get; init; } = [];

    /// <summary>Scores per user, method and metric.</summary>
    public IReadOnlyList<UserScore> UserScores { get; init; } = [];

    /// <summary>Number of history items by user.</summary>
    public IReadOnlyDictionary<string, int> HistoryLengths { get; init; } = new Dictionary<string, int>();

    /// <summary>Training curves; panels are in the order of their first curve.</summary>
    public IReadOnlyList<TrainingCurve> Curves { get; init; } = [];

    /// <summary>Implicit rewards of the preference pairs.</summary>
    public IReadOnlyList<RewardPair> Rewards { get; init; } = [];

    /// <summary>What preference training did to the adapters; null where it is not known.</summary>
    public PreferenceEffect? PreferenceEffect { get; init; }

    /// <summary>
    /// How much likelier a token of the users' own texts is under SFT than under the TAM, in nats: the distance of
    /// expert and amateur; null where it was not measured.
    /// </summary>
    public double? ExpertDistance { get; init; }

    /// <summary>Likelihood of the gold texts by adapter.</summary>
    public IReadOnlyList<GoldLikelihood> GoldLikelihoods { get; init; } = [];

    /// <summary>Predictions token by token.</summary>
    public IReadOnlyList<TokenTrace> TokenTraces { get; init; } = [];

    /// <summary>Queries with the outputs of all methods.</summary>
    public IReadOnlyList<ReportExample> Examples { get; init; } = [];

    /// <summary>
    /// Most examples written, shared out evenly over the users; the report says how many were left out.
    /// </summary>
    public int MaxExamples { get; init; } = 300;

    /// <summary>Most token views written; the report says how many were left out.</summary>
    public int MaxTokenTraces { get; init; } = 24;
}

/// <summary>A fact of the run, for example a seed, a version, a hash or a machine.</summary>
sealed record ReportFact
{
    /// <summary>Heading it is listed under, for example <c>Versions</c>.</summary>
    public required string Group { get; init; }

    /// <summary>What it is, for example <c>libtorch</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The value as text.</summary>
    public required string Value { get; init; }
}

/// <summary>How long a stage took.</summary>
/// <param name="Stage">The stage's name.</param>
/// <param name="Duration">Wall-clock time; not negative.</param>
sealed record StageTime(string Stage, TimeSpan Duration);

/// <summary>Two methods the report sets against each other user by user.</summary>
sealed record MethodComparison
{
    /// <summary>The method whose gain is shown, for example <c>CoPe</c>.</summary>
    public required string Method { get; init; }

    /// <summary>The method it is measured against, for example <c>TAM</c>.</summary>
    public required string Baseline { get; init; }
}

/// <summary>Paired test of two methods on one metric.</summary>
sealed record SignificanceRow
{
    /// <summary>The method tested.</summary>
    public required string Method { get; init; }

    /// <summary>The method it is tested against.</summary>
    public required string Baseline { get; init; }

    /// <summary>Metric of the test.</summary>
    public required string Metric { get; init; }

    /// <summary>Mean of the method less mean of the baseline.</summary>
    public required double Difference { get; init; }

    /// <summary>Lower end of the 95 % bootstrap interval of the difference; NaN where there is none.</summary>
    public double Low { get; init; } = double.NaN;

    /// <summary>Upper end of that interval; NaN where there is none.</summary>
    public double High { get; init; } = double.NaN;

    /// <summary>Two-sided p-value of the paired bootstrap; NaN where it was not run.</summary>
    public double BootstrapP { get; init; } = double.NaN;

    /// <summary>Two-sided p-value of the sign test; NaN where it was not run.</summary>
    public double SignP { get; init; } = double.NaN;

    /// <summary>Users for whom the method is better.</summary>
    public int UsersHelped { get; init; }

    /// <summary>Users for whom the method is worse.</summary>
    public int UsersHurt { get; init; }

    /// <summary>Users for whom both are equal.</summary>
    public int UsersEqual { get; init; }
}

/// <summary>Mean of one metric of one method over the queries of one user.</summary>
readonly record struct UserScore
{
    /// <summary>The user's id.</summary>
    public required string User { get; init; }

    /// <summary>Method, for example <c>CoPe</c>.</summary>
    public required string Method { get; init; }

    /// <summary>Metric, for example <c>ROUGE-L</c>.</summary>
    public required string Metric { get; init; }

    /// <summary>Mean over the user's queries.</summary>
    public required double Value { get; init; }
}

/// <summary>
/// One line of a training plot. Curves of equal <see cref="Stage"/> and <see cref="Quantity"/> share a panel.
/// </summary>
sealed record TrainingCurve
{
    /// <summary>Stage, for example <c>TAM</c>, <c>SFT (mean over users)</c> or <c>DPO</c>.</summary>
    public required string Stage { get; init; }

    /// <summary>What is drawn, for example <c>loss</c>, <c>reward margin</c> or <c>accuracy</c>.</summary>
    public required string Quantity { get; init; }

    /// <summary>Name of the line where a panel has several, for example <c>chosen</c>.</summary>
    public string Series { get; init; } = "";

    /// <summary>The points, by rising step.</summary>
    public IReadOnlyList<CurvePoint> Points { get; init; } = [];
}

/// <summary>A training metric at one step.</summary>
/// <param name="Step">Optimizer step, or whatever the curve counts by.</param>
/// <param name="Value">Its value; one that is not finite breaks the line.</param>
readonly record struct CurvePoint(double Step, double Value);

/// <summary>
/// Implicit rewards of a preference pair: <c>r(x, y) = log p_user(y|x) - log p_TAM(y|x)</c>, in nats.
/// </summary>
/// <param name="Chosen">Reward of the user's own text.</param>
/// <param name="Rejected">Reward of the sampled negative.</param>
readonly record struct RewardPair(double Chosen, double Rejected);

/// <summary>How well one adapter predicts the users' gold texts: <c>-log p(y|x) / |y|</c>, in nats per token.</summary>
sealed record GoldLikelihood
{
    /// <summary>Adapter, for example <c>base</c>, <c>TAM</c>, <c>SFT</c> or <c>DPO</c>.</summary>
    public required string Adapter { get; init; }

    /// <summary>Mean negative log-likelihood per token; lower is better.</summary>
    public required double NegativeLogLikelihood { get; init; }

    /// <summary>Standard error of the mean; NaN where it is unknown.</summary>
    public double StandardError { get; init; } = double.NaN;

    /// <summary>Number of texts averaged.</summary>
    public int Count { get; init; }
}

/// <summary>The metrics of a report with the headline's one first.</summary>
static class HeadlineOrder
{
    /// <summary>The metrics of the table; <see cref="ReportModel.HeadlineMetric"/> first where it is given.</summary>
    /// <exception cref="ArgumentException">The table has metrics, but not the headline's one.</exception>
    public static IReadOnlyList<MetricColumn> Metrics(ReportModel model)
    {
        var metrics = model.Results.Metrics;
        if (model.HeadlineMetric is not { } name || metrics.Count == 0)
        {
            return metrics;
        }

        if (metrics.All(metric => metric.Name != name))
        {
            var known = string.Join(", ", metrics.Select(metric => metric.Name));
            throw new ArgumentException(
                $"The headline metric '{name}' is not in the results table; expected one of {known}.",
                nameof(model)
            );
        }

        return [.. metrics.OrderBy(metric => metric.Name == name ? 0 : 1)];
    }
}
