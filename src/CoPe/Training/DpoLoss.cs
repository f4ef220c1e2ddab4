using CoPe.Kernels.Torch;
using static TorchSharp.torch;

namespace CoPe.Training;

/// <summary>
/// Losses of direct preference optimization over the log-ratio
/// <code>h = (log pi(y_w|x) - log pi(y_l|x)) - (log ref(y_w|x) - log ref(y_l|x))</code>
/// of each pair, each <c>[pairs]</c> float32. They correspond to <c>DPOTrainer.dpo_loss</c> of TRL 0.13.
/// </summary>
public static class DpoLoss
{
    /// <summary>The log-ratio h of each pair; everything <c>[pairs]</c> float32, the result is the caller's.</summary>
    /// <param name="policyChosen">Log-probability of the chosen answer under the policy.</param>
    /// <param name="policyRejected">Log-probability of the rejected answer under the policy.</param>
    /// <param name="referenceChosen">Log-probability of the chosen answer under the reference.</param>
    /// <param name="referenceRejected">Log-probability of the rejected answer under the reference.</param>
    public static Tensor LogRatio(
        Tensor policyChosen,
        Tensor policyRejected,
        Tensor referenceChosen,
        Tensor referenceRejected
    )
    {
        using var scope = NewDisposeScope();
        return ((policyChosen - policyRejected) - (referenceChosen - referenceRejected)).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Rafailov et al. 2023 (arXiv 2305.18290), equation 7; smoothed as Mitchell 2023, where a label is wrong with
    /// probability epsilon:
    /// <code>L = -(1 - epsilon) log sigmoid(beta h) - epsilon log sigmoid(-beta h)</code>
    /// </summary>
    /// <returns><c>[pairs]</c> float32, the caller's.</returns>
    public static Tensor Sigmoid(Tensor logRatio, double beta, double labelSmoothing = 0)
    {
        using var scope = NewDisposeScope();
        var scaled = logRatio.mul(Scalars.Of(beta));
        var loss = -nn.functional.logsigmoid(scaled);
        if (labelSmoothing != 0)
        {
            loss =
                loss.mul(Scalars.Of(1 - labelSmoothing))
                - nn.functional.logsigmoid(-scaled).mul(Scalars.Of(labelSmoothing));
        }

        return loss.MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Azar et al. 2023 (arXiv 2310.12036), equation 17; log-probabilities are means over tokens here, as in TRL:
    /// <code>L = (h - 1 / (2 beta))^2</code>
    /// </summary>
    /// <returns><c>[pairs]</c> float32, the caller's.</returns>
    public static Tensor Ipo(Tensor logRatio, double beta)
    {
        using var scope = NewDisposeScope();
        return logRatio.sub(Scalars.Of(1 / (2 * beta))).pow(Scalars.Of(2)).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The hinge of SLiC, Zhao et al. 2023 (arXiv 2305.10425), on DPO's rewards:
    /// <code>L = max(0, 1 - beta h)</code>
    /// </summary>
    /// <returns><c>[pairs]</c> float32, the caller's.</returns>
    public static Tensor Hinge(Tensor logRatio, double beta)
    {
        using var scope = NewDisposeScope();
        return logRatio.mul(Scalars.Of(-beta)).add(Scalars.One, Scalars.One).relu().MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The implicit reward of an answer under the policy:
    /// <code>r(y|x) = beta (log pi(y|x) - log ref(y|x))</code>
    /// </summary>
    /// <returns><c>[pairs]</c> float32, the caller's.</returns>
    public static Tensor Reward(Tensor policy, Tensor reference, double beta)
    {
        using var scope = NewDisposeScope();
        return (policy - reference).mul(Scalars.Of(beta)).MoveToOuterDisposeScope();
    }
}
