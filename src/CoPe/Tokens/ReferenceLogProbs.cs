namespace CoPe.Tokens;

/// <summary>Log-probabilities of a pair's answers under the reference policy, sums over tokens.</summary>
/// <param name="Chosen">Of the chosen answer.</param>
/// <param name="Rejected">Of the rejected answer.</param>
public readonly record struct ReferenceLogProbs(float Chosen, float Rejected);
