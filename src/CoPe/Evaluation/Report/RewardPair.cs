namespace CoPe.Evaluation.Report;

/// <summary>
/// Implicit rewards of a preference pair: <c>r(x, y) = log p_user(y|x) - log p_TAM(y|x)</c>, in nats.
/// </summary>
/// <param name="Chosen">Reward of the user's own text.</param>
/// <param name="Rejected">Reward of the sampled negative.</param>
public readonly record struct RewardPair(double Chosen, double Rejected);
