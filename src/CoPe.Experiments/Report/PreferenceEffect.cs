namespace CoPe.Experiments.Report;

/// <summary>What preference training did to a run's adapters.</summary>
/// <param name="Users">Users whose adapters were measured.</param>
/// <param name="Movement">
/// Median over the users of how far an adapter moved, relative to its own size: <c>||B' A' - B A|| / ||B A||</c>.
/// </param>
/// <param name="Pairs">Pairs measured: those of each user's first step.</param>
/// <param name="RankedBefore">Pairs whose chosen answer had the higher implicit reward before training.</param>
/// <param name="RankedAfter">The same after it.</param>
sealed record PreferenceEffect(int Users, double Movement, int Pairs, int RankedBefore, int RankedAfter);
