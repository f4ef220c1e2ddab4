using System.Globalization;
using CoPe.Evaluation;

namespace CoPe.Runs.Results;

/// <summary>A swept key: every value's figures, and the value chosen by one metric of one method.</summary>
public sealed record SweepCurve
{
    /// <summary>The key.</summary>
    public required string Key { get; init; }

    /// <summary>The values, in the order given.</summary>
    public required IReadOnlyList<SweepPoint> Points { get; init; }

    /// <summary>The method that decides.</summary>
    public required string Method { get; init; }

    /// <summary>The metric that decides.</summary>
    public required Metric Metric { get; init; }

    /// <summary>Place of the value with the best mean; of values that tie, the first.</summary>
    public int Chosen
    {
        get
        {
            var means = Points.Select(point => Of(point).Mean).ToList();
            return means.IndexOf(Metric.Direction == MetricDirection.Lower ? means.Min() : means.Max());
        }
    }

    /// <summary>Which end of the values tried the chosen one stands at, if any: <see cref="EndOf"/>.</summary>
    public string? End => EndOf([.. Points.Select(point => point.Value)], Chosen);

    /// <summary>
    /// <c>largest</c> or <c>smallest</c> where the chosen number stands at an end of those tried, so that the best may lie beyond them. Null where it stands between others,
    /// where a value is not a number, and at 0, below which hardly any number of a recipe goes.
    /// </summary>
    /// <param name="values">The values tried, in any order.</param>
    /// <param name="chosen">Place of the chosen one.</param>
    public static string? EndOf(IReadOnlyList<string> values, int chosen)
    {
        ArgumentNullException.ThrowIfNull(values);
        var numbers = values.Select(value => double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : double.NaN).ToList();
        if (numbers.Any(double.IsNaN)) return null;
        var best = numbers[chosen];
        return best == numbers.Max() ? "largest" : best == numbers.Min() && best != 0 ? "smallest" : null;
    }

    /// <summary>The deciding figure of a value.</summary>
    /// <exception cref="RunException">The run has no such figure.</exception>
    public MeanWithError Of(SweepPoint point)
    {
        ArgumentNullException.ThrowIfNull(point);
        return point.Figures.Report.Of(Method).Metrics.GetValueOrDefault(Metric.Name)
            ?? throw new RunException($"{point.Figures.Name} has no {Metric.Name} of {Method}: choose another metric ({string.Join(", ", point.Figures.Report.Of(Method).Metrics.Keys)})");
    }

    /// <summary>The chosen value against another on the same queries; null where the metric has no value of a single query, or the queries differ.</summary>
    public PairedComparison? ChosenAgainst(SweepPoint other)
    {
        ArgumentNullException.ThrowIfNull(other);
        var chosen = Points[Chosen].Figures;
        if (ReferenceEquals(chosen, other.Figures) || chosen.DiffersFrom(other.Figures) is not null) return null;
        var (method, baseline) = (chosen.Report.Of(Method), other.Figures.Report.Of(Method));
        var isPaired = method.Queries.Any(query => query.Values.ContainsKey(Metric.Name)) && baseline.Queries.Any(query => query.Values.ContainsKey(Metric.Name));
        return isPaired ? PairedTest.Compare(method, baseline, Metric) : null;
    }
}
