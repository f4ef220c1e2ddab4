namespace CoPe.Training;

/// <summary>Which loss of a preference pair's log-ratio is minimised.</summary>
public enum DpoLossKind
{
    /// <summary>DPO's own: <see cref="DpoLoss.Sigmoid"/>.</summary>
    Sigmoid,

    /// <summary><see cref="DpoLoss.Ipo"/>, over log-probabilities per token.</summary>
    Ipo,

    /// <summary><see cref="DpoLoss.Hinge"/>.</summary>
    Hinge,
}
