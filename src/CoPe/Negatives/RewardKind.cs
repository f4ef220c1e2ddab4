namespace CoPe.Negatives;

/// <summary>How a candidate's log-probabilities become one number.</summary>
public enum RewardKind
{
    /// <summary>Sum over tokens.</summary>
    Sum,

    /// <summary>Mean per token.</summary>
    Mean,
}
