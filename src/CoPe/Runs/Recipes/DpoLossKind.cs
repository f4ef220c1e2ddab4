namespace CoPe.Runs.Recipes;

/// <summary>Loss of preference training.</summary>
public enum DpoLossKind
{
    /// <summary>DPO's own (Rafailov et al., 2023).</summary>
    Sigmoid,

    /// <summary>IPO (Azar et al., 2023).</summary>
    Ipo,

    /// <summary>Hinge, as in SLiC (Zhao et al., 2023).</summary>
    Hinge,
}
