using CoPe.Adapters;

namespace CoPe.Training;

/// <summary>Training of one adapter (the task's) or of several at once (one a user), whatever the loss.</summary>
/// <typeparam name="TExample">What an adapter learns from: <see cref="CoPe.Tokens.SupervisedExample"/> for <see cref="SftTrainer"/>, <see cref="CoPe.Tokens.PreferenceExample"/> for <see cref="DpoTrainer"/>.</typeparam>
public sealed class AdapterTrainingRun<TExample> : TrainingRun
{
    /// <summary>Worn below by every row and left as it is; null for none. Not owned.</summary>
    public AdapterBank? TaskAdapter { get; init; }

    /// <summary>The adapters trained, in place, one a user. Not owned.</summary>
    public required AdapterBank Adapters { get; init; }

    /// <summary>Names of the users, one an adapter, for metrics and messages.</summary>
    public required IReadOnlyList<string> UserNames { get; init; }

    /// <summary>Seeds of the users' data order and dropout; null draws them from <see cref="TrainingOptions.Seed"/> and their names.</summary>
    public IReadOnlyList<long>? UserSeeds { get; init; }

    /// <summary>What each user's adapter learns from.</summary>
    public required IReadOnlyList<IReadOnlyList<TExample>> ExamplesPerUser { get; init; }

    /// <summary>What each user's adapter is measured by while training; null for none.</summary>
    public IReadOnlyList<IReadOnlyList<TExample>>? DevelopmentPerUser { get; init; }
}
