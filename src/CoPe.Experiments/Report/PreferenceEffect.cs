namespace CoPe.Experiments.Report;

/// <summary>What preference training did to a run's adapters.</summary>
/// <param name="Users">Users whose adapters were measured.</param>
/// <param name="Movement">
/// Median over the users of how far an adapter moved, relative to its own size: <c>||B' A' - B A|| / ||B A||</c>.
/// </param>
/// <param name="Pairs">Pairs measured: those of each user's first step.</param>
/// <param name="RankedBefore">Pairs whose chosen answer had the higher implicit reward before training.</param>
/// <param name="RankedAfter">The same after it.</param>
sealed record PreferenceEffect(int Users, double Movement, int Pairs, int RankedBefore, int RankedAfter)
{
    /// <summary>Fall of a log-probability, in nats, that is more than the rounding of number types.</summary>
    const double LeastFall = 0.1;

    /// <summary>
    /// Mean log-probability of these pairs' chosen answers under the user's adapter, in nats (per token where
    /// <c>dpo.loss</c> is <c>ipo</c>); null where it was not recorded.
    /// </summary>
    public BeforeAndAfter? Chosen { get; init; }

    /// <summary>The same of the rejected answers.</summary>
    public BeforeAndAfter? Rejected { get; init; }

    /// <summary>
    /// Likelihood displacement (Razin et al. 2024, arXiv 2410.08847): the margin between the answers grew while the
    /// user's own text became less likely than it was.
    /// </summary>
    public bool IsDisplaced => Chosen is { } chosen && chosen.After < chosen.Before - LeastFall;
}

/// <summary>A figure before and after training.</summary>
readonly record struct BeforeAndAfter(double Before, double After);
