using System.Globalization;

namespace CoPe.Experiments.Evaluation;

/// <summary>Errors of predicted ratings.</summary>
public static class RatingMetrics
{
    /// <summary>The rating an answer states: a number alone on it, in invariant notation.</summary>
    /// <param name="answer">The answer; spaces around it do not matter.</param>
    /// <returns>The number; null where the answer is anything else.</returns>
    public static double? Parse(string answer) =>
        double.TryParse(answer.Trim(), NumberStyles.Float, CultureInfo.InvariantCulture, out var rating)
        && double.IsFinite(rating)
            ? rating
            : null;

    /// <summary>
    /// The rating an answer states; of one that states none, the end of the scale farther from the gold.
    /// </summary>
    /// <remarks>This is how LaMP counts answers that are no number.</remarks>
    internal static double ParseOrFarEnd(string answer, double gold, RatingScale scale) =>
        Parse(answer) ?? scale.FarEnd(gold);

    /// <summary>Mean absolute error. <code>sum |predicted - gold| / n</code></summary>
    /// <param name="predicted">Predicted ratings.</param>
    /// <param name="golds">Real ratings, as many.</param>
    /// <exception cref="ArgumentException">The lists are empty or not of one length.</exception>
    public static double Mae(IReadOnlyList<double> predicted, IReadOnlyList<double> golds) =>
        Errors(predicted, golds).Average(Math.Abs);

    /// <summary>Root mean squared error. <code>sqrt(sum (predicted - gold)^2 / n)</code></summary>
    /// <param name="predicted">Predicted ratings.</param>
    /// <param name="golds">Real ratings, as many.</param>
    /// <exception cref="ArgumentException">The lists are empty or not of one length.</exception>
    public static double Rmse(IReadOnlyList<double> predicted, IReadOnlyList<double> golds) =>
        Math.Sqrt(Errors(predicted, golds).Average(error => error * error));

    /// <summary>The root mean squared error with its jackknife standard error.</summary>
    internal static MeanWithError RmseWithError(IReadOnlyList<double> predicted, IReadOnlyList<double> golds)
    {
        var squares = Errors(predicted, golds).Select(error => error * error).ToList();
        var sum = squares.Sum();
        var rest = Math.Max(1, squares.Count - 1);
        return new(
            Math.Sqrt(sum / squares.Count),
            Jackknife.StandardError([.. squares.Select(square => Math.Sqrt(Math.Max(0, sum - square) / rest))]),
            squares.Count
        );
    }

    static IEnumerable<double> Errors(IReadOnlyList<double> predicted, IReadOnlyList<double> golds)
    {
        if (predicted.Count != golds.Count || golds.Count == 0)
        {
            throw new ArgumentException(
                $"Found {predicted.Count} predicted and {golds.Count} real ratings; "
                    + "expected one or more, as many of each."
            );
        }

        return predicted.Zip(golds, (one, other) => one - other);
    }
}

/// <summary>The ends of a rating scale.</summary>
public sealed record RatingScale
{
    /// <summary>The scale of product ratings, 1 to 5.</summary>
    public static RatingScale OneToFive { get; } = new(1, 5);

    /// <summary>A scale.</summary>
    /// <param name="lowest">Its lowest rating.</param>
    /// <param name="highest">Its highest rating.</param>
    /// <exception cref="ArgumentException">The highest is not above the lowest.</exception>
    public RatingScale(double lowest, double highest)
    {
        if (!(highest > lowest))
        {
            throw new ArgumentException(
                $"The scale ends at {highest}, which is not above its start, {lowest}.",
                nameof(highest)
            );
        }

        (Lowest, Highest) = (lowest, highest);
    }

    /// <summary>Lowest rating.</summary>
    public double Lowest { get; }

    /// <summary>Highest rating.</summary>
    public double Highest { get; }

    /// <summary>The end that is farther from a rating; the highest where both are as far.</summary>
    /// <param name="rating">The rating.</param>
    public double FarEnd(double rating) => Math.Abs(rating - Lowest) > Math.Abs(rating - Highest) ? Lowest : Highest;
}
