namespace CoPe.Training;

/// <summary>
/// A prompt and the answer to learn: the loss counts the answer's tokens (its end-of-turn token included), never the
/// prompt's.
/// </summary>
/// <param name="Id">Where it comes from, for messages and the data order.</param>
/// <param name="Prompt">Ids of the prompt.</param>
/// <param name="Response">Ids of the answer, the end-of-turn token last.</param>
public sealed record SupervisedExample(string Id, IReadOnlyList<int> Prompt, IReadOnlyList<int> Response);

/// <summary>A prompt with the user's own answer and a less personal one.</summary>
/// <param name="Id">Where it comes from.</param>
/// <param name="Prompt">Ids of the prompt.</param>
/// <param name="Chosen">Ids of the user's text, the end-of-turn token last.</param>
/// <param name="Rejected">Ids of the rejected answer, the end-of-turn token last.</param>
public sealed record PreferenceExample(
    string Id,
    IReadOnlyList<int> Prompt,
    IReadOnlyList<int> Chosen,
    IReadOnlyList<int> Rejected
)
{
    /// <summary>
    /// Log-probabilities of both answers under the reference policy, where they are known; null has them computed.
    /// </summary>
    public ReferenceLogProbs? Reference { get; init; }
}

/// <summary>Log-probabilities of a pair's answers under the reference policy, sums over tokens.</summary>
/// <param name="Chosen">Of the chosen answer.</param>
/// <param name="Rejected">Of the rejected answer.</param>
public readonly record struct ReferenceLogProbs(float Chosen, float Rejected);
