namespace CoPe.Training;

/// <summary>A user and what their adapter is trained on.</summary>
/// <typeparam name="TExample">
/// <see cref="SupervisedExample"/> for <see cref="SftTrainer"/>, <see cref="PreferenceExample"/> for
/// <see cref="DpoTrainer"/>.
/// </typeparam>
/// <param name="Name">The user, for metrics and messages; different for each user of a training.</param>
/// <param name="Examples">What the adapter learns from; without any, it stays as it is.</param>
public sealed record UserTrainingSet<TExample>(string Name, IReadOnlyList<TExample> Examples)
{
    /// <summary>
    /// Seed of the user's data order and dropout; null derives it from <see cref="TrainingOptions.Seed"/> and the name.
    /// </summary>
    public long? Seed { get; init; }

    /// <summary>What the adapter is measured by while it trains, and never learns from; empty for none.</summary>
    public IReadOnlyList<TExample> Development { get; init; } = [];
}

/// <summary>
/// A prompt and the response to learn: the loss counts the response's tokens (its end-of-turn token included), never
/// the prompt's.
/// </summary>
/// <param name="Id">Where it comes from, for messages.</param>
/// <param name="Prompt">Ids of the prompt, at least one.</param>
/// <param name="Response">Ids of the response, the end-of-turn token last.</param>
public sealed record SupervisedExample(string Id, IReadOnlyList<int> Prompt, IReadOnlyList<int> Response);

/// <summary>A prompt with the user's own response and a less personal one.</summary>
/// <param name="Id">Where it comes from, for messages.</param>
/// <param name="Prompt">Ids of the prompt, at least one.</param>
/// <param name="Chosen">Ids of the user's text, the end-of-turn token last.</param>
/// <param name="Rejected">Ids of the rejected response, the end-of-turn token last.</param>
public sealed record PreferenceExample(
    string Id,
    IReadOnlyList<int> Prompt,
    IReadOnlyList<int> Chosen,
    IReadOnlyList<int> Rejected
)
{
    /// <summary>
    /// Log-probabilities of both responses under the reference policy, where they are known; null has them computed.
    /// </summary>
    public ReferenceLogProbs? Reference { get; init; }
}

/// <summary>
/// Log-probabilities of a pair's responses under the reference policy, each the sum over its tokens in nats.
/// </summary>
/// <param name="Chosen">Of the chosen response.</param>
/// <param name="Rejected">Of the rejected response.</param>
public readonly record struct ReferenceLogProbs(float Chosen, float Rejected);
