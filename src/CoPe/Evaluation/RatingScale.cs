namespace CoPe.Evaluation;

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
        if (!(highest > lowest)) throw new ArgumentException($"The scale ends at {highest}, which is not above its start, {lowest}.", nameof(highest));
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
