using System.Globalization;
using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Settings;

namespace CoPe.Experiments.Runs.Results;

/// <summary>A swept key: the results of every value, and the value chosen by one metric of one method.</summary>
sealed record SweepCurve
{
    /// <summary>Decimals of a mean in tables.</summary>
    const int PrintedDecimals = 4;

    /// <summary>The key.</summary>
    public required string Key { get; init; }

    /// <summary>The values, in the order given.</summary>
    public required IReadOnlyList<SweepPoint> Points { get; init; }

    /// <summary>The method that decides.</summary>
    public required string Method { get; init; }

    /// <summary>The metric that decides.</summary>
    public required Metric Metric { get; init; }

    /// <summary>The recipe's own value, as it writes it.</summary>
    public required string RecipeValue { get; init; }

    /// <summary>Index of the recipe's own value among those tried; null where it is none of them.</summary>
    public int? RecipePoint { get; init; }

    /// <summary>
    /// Index of the value with the best mean; of values that tie, the recipe's own, and where that is none of them the
    /// first.
    /// </summary>
    public int Chosen => RecipePoint is { } own && Best.Contains(own) ? own : Best[0];

    /// <summary>
    /// The value that the sweep ends with: the chosen one, or the recipe's where no value tried differs from another.
    /// </summary>
    public string ChosenValue => KeepsUntriedValue ? RecipeValue : Points[Chosen].Value;

    /// <summary>Indices of the values with the best mean, which is compared as it is printed.</summary>
    public IReadOnlyList<int> Best
    {
        get
        {
            var means = Points.Select(point => Math.Round(ScoreAt(point).Mean, PrintedDecimals)).ToList();
            var best = Metric.Direction == MetricDirection.Lower ? means.Min() : means.Max();
            return [.. means.Index().Where(mean => mean.Item == best).Select(mean => mean.Index)];
        }
    }

    /// <summary>Says that values tie and which of them is taken; null where one is best.</summary>
    public string? DescribeTie()
    {
        if (Best.Count == 1)
        {
            return null;
        }

        var values = string.Join(", ", Best.Select(index => Points[index].Value));
        var taken =
            KeepsUntriedValue ? $"no value tried differs, the recipe's {RecipeValue} is kept"
            : Chosen == RecipePoint ? $"the recipe's {Points[Chosen].Value} is kept"
            : $"the first, {Points[Chosen].Value}, is taken";
        return $"tie of {values}: {taken}";
    }

    /// <summary>At which end of the values tried the chosen one is, if any: <see cref="FindEdge"/>.</summary>
    public string? Edge => Best.Count > 1 ? null : FindEdge([.. Points.Select(point => point.Value)], Chosen);

    bool KeepsUntriedValue => RecipePoint is null && Best.Count == Points.Count;

    /// <summary>
    /// <c>largest</c> or <c>smallest</c> where the chosen number is at an end of those tried, so that the best may lie
    /// beyond them. Null where it is between others, where a value is not a number, and at 0, below which hardly any
    /// number of a recipe goes.
    /// </summary>
    /// <param name="values">The values tried, in any order.</param>
    /// <param name="chosen">Index of the chosen one.</param>
    public static string? FindEdge(IReadOnlyList<string> values, int chosen)
    {
        var numbers = values
            .Select(value =>
                double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
                    ? number
                    : double.NaN
            )
            .ToList();
        if (numbers.Any(double.IsNaN))
        {
            return null;
        }

        var best = numbers[chosen];
        if (best == numbers.Max())
        {
            return "largest";
        }

        return best == numbers.Min() && best != 0 ? "smallest" : null;
    }

    /// <summary>What the parts of the method add to SFT at a value, in the metric that decides.</summary>
    public PartGains ComputeGains(SweepPoint point) => PartGains.Compute(point.Results.Report, Metric);

    /// <summary>The deciding mean of a value.</summary>
    /// <exception cref="RunException">The run has no such mean.</exception>
    public MeanWithError ScoreAt(SweepPoint point)
    {
        var metrics = point.Results.Report.ScoresOf(Method).Metrics;
        return metrics.GetValueOrDefault(Metric.Name)
            ?? throw new RunException(
                $"{point.Results.Name} has no {Metric.Name} of {Method}: "
                    + $"choose another metric ({string.Join(", ", metrics.Keys)})"
            );
    }

    /// <summary>
    /// The chosen value against another on the same queries; null where the metric has no value of a single query, or
    /// the queries differ.
    /// </summary>
    public PairedComparison? CompareChosenWith(SweepPoint other)
    {
        var chosen = Points[Chosen].Results;
        if (ReferenceEquals(chosen, other.Results) || chosen.ExplainDifference(other.Results) is not null)
        {
            return null;
        }

        var method = chosen.Report.ScoresOf(Method);
        var baseline = other.Results.Report.ScoresOf(Method);
        return HasQueryScores(method) && HasQueryScores(baseline) ? PairedTest.Compare(method, baseline, Metric) : null;
    }

    bool HasQueryScores(MethodScores scores) => scores.Queries.Any(query => query.Values.ContainsKey(Metric.Name));
}

/// <summary>A value of a swept key and its results.</summary>
/// <param name="Value">The value, as a recipe writes it.</param>
/// <param name="Results">The run with it.</param>
sealed record SweepPoint(string Value, RunResults Results);

/// <summary>A key of a recipe and the values it is tried with.</summary>
/// <param name="Key">Dotted key, for example <c>decode.contrast</c>.</param>
/// <param name="Values">Two values or more, as a recipe writes them.</param>
sealed record SweepAxis(string Key, IReadOnlyList<string> Values)
{
    /// <summary>Reads <c>decode.contrast=0,0.1,0.3</c>.</summary>
    /// <exception cref="SettingsException">It is not of this form.</exception>
    public static SweepAxis Parse(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        if (equals <= 0)
        {
            throw new SettingsException(
                $"--over {text}: expected key=value,value, for example decode.contrast=0,0.1,0.3"
            );
        }

        var values = text[(equals + 1)..]
            .Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Distinct()
            .ToList();
        return values.Count >= 2
            ? new(text[..equals].Trim(), values)
            : throw new SettingsException($"--over {text}: a sweep needs two values or more, separated by commas");
    }

    /// <summary>The override of a value.</summary>
    public string Override(string value) => $"{Key}={value}";
}
