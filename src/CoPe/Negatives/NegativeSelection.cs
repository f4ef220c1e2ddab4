namespace CoPe.Negatives;

/// <summary>Which candidate becomes the rejected answer. The reference words it by log pi_TAM - log pi_user, the implicit reward with its sign turned.</summary>
public enum NegativeSelection
{
    /// <summary>Largest log pi_TAM - log pi_user, that is the lowest implicit reward (the paper's).</summary>
    Max,

    /// <summary>Smallest log pi_TAM - log pi_user, that is the highest implicit reward (the paper's ablation).</summary>
    Min,
}
