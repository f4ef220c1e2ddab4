using CoPe.Adapters;
using CoPe.Tokens;

namespace CoPe.Training;

/// <summary>Preference optimisation of several users' adapters at once. Adapters drop nothing here, as in the reference.</summary>
public sealed class DpoRun : TrainingRun
{
    /// <summary>Worn below by every row and left as it is; null for none. Not owned.</summary>
    public AdapterBank? TaskAdapter { get; init; }

    /// <summary>The users' supervised adapters, trained in place. Not owned.</summary>
    public required AdapterBank Adapters { get; init; }

    /// <summary>Names of the users, one an adapter, for metrics and messages.</summary>
    public required IReadOnlyList<string> UserNames { get; init; }

    /// <summary>Seeds of the users' data order; null draws them from <see cref="TrainingOptions.Seed"/> and their names.</summary>
    public IReadOnlyList<long>? UserSeeds { get; init; }

    /// <summary>Loss and reference policy.</summary>
    public DpoOptions Dpo { get; init; } = new();

    /// <summary>Each user's pairs.</summary>
    public required IReadOnlyList<IReadOnlyList<PreferenceExample>> ExamplesPerUser { get; init; }

    /// <summary>Pairs by which each user is measured while training; null for none.</summary>
    public IReadOnlyList<IReadOnlyList<PreferenceExample>>? DevelopmentPerUser { get; init; }
}
