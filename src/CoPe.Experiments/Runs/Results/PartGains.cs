using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Runs.Recipes;

namespace CoPe.Experiments.Runs.Results;

/// <summary>
/// What the parts of the method add to a run's SFT, and how far its user adapters are from the task-adaptive model:
/// where that is little, there is little to contrast.
/// </summary>
/// <param name="Distance">
/// Distance of expert and amateur, in nats a token, over the users' own answers y to the queries; null where their
/// likelihood was not measured under both.
/// <code>mean over y of 1/|y| sum_t [log p_SFT(y_t | x, y_&lt;t) - log p_TAM(y_t | x, y_&lt;t)]</code>
/// </param>
/// <param name="OverSft">
/// The tests of contrast, preference training and both against SFT, paired by user where there are users.
/// </param>
sealed record PartGains(double? Distance, IReadOnlyList<PairedComparison> OverSft)
{
    const string Sft = "sft",
        Tam = "tam";

    /// <summary>The gains of a run in one metric; none where it has no SFT.</summary>
    public static PartGains Compute(EvaluationReport report, Metric metric)
    {
        ArgumentNullException.ThrowIfNull(report);
        var sft = report.Methods.FirstOrDefault(scores => scores.Method == Sft);
        if (sft is null)
        {
            return new(null, []);
        }

        var tests = PredictionMethod
            .All.Where(method => method.UserAdapter != UserAdapterKind.None && method.Name != Sft)
            .Select(method => report.Methods.FirstOrDefault(scores => scores.Method == method.Name))
            .OfType<MethodScores>()
            .Where(scores => HasQueryScores(scores, metric) && HasQueryScores(sft, metric))
            .Select(scores => (scores, sft, metric))
            .ToList();
        return new(ComputeDistance(report), tests.Count == 0 ? [] : PairedTest.CompareAll(tests));
    }

    /// <summary>The <see cref="Distance"/> of a run.</summary>
    public static double? ComputeDistance(EvaluationReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        var tam = report.Methods.FirstOrDefault(scores => scores.Method == Tam);
        var sft = report.Methods.FirstOrDefault(scores => scores.Method == Sft);
        return
            tam is not null
            && sft is not null
            && tam.Metrics.TryGetValue(Metric.GoldNll.Name, out var ofTam)
            && sft.Metrics.TryGetValue(Metric.GoldNll.Name, out var ofSft)
            ? ofTam.Mean - ofSft.Mean
            : null;
    }

    static bool HasQueryScores(MethodScores scores, Metric metric) =>
        scores.Queries.Any(query => query.Values.ContainsKey(metric.Name));
}
