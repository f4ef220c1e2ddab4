namespace CoPe.Tokens;

/// <summary>A prompt with the user's own answer and a less personal one.</summary>
/// <param name="Id">Where it comes from.</param>
/// <param name="Prompt">Ids of the prompt.</param>
/// <param name="Chosen">Ids of the user's text, the end-of-turn token last.</param>
/// <param name="Rejected">Ids of the rejected answer, the end-of-turn token last.</param>
public sealed record PreferenceExample(string Id, IReadOnlyList<int> Prompt, IReadOnlyList<int> Chosen, IReadOnlyList<int> Rejected)
{
    /// <summary>Log-probabilities of both answers under the reference policy, where they are known; null has them computed.</summary>
    public ReferenceLogProbs? Reference { get; init; }
}
