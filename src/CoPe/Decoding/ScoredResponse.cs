namespace CoPe.Decoding;

/// <summary>Log-probabilities of one response under one set of adapters.</summary>
/// <param name="ItemId">The item.</param>
/// <param name="Policy">Index in the item's policies.</param>
/// <param name="Response">Index in the item's responses.</param>
/// <param name="LogProbs">log p of each token of the response given all before it.</param>
public sealed record ScoredResponse(string ItemId, int Policy, int Response, IReadOnlyList<float> LogProbs)
{
    /// <summary>The likeliest tokens at each place, best first; empty where <see cref="ScoringOptions.Alternatives"/> is 0.</summary>
    public IReadOnlyList<IReadOnlyList<TokenChance>> Alternatives { get; init; } = [];

    /// <summary>log p of the response: <code>sum_t log p(y_t | x, y_&lt;t)</code></summary>
    public double Sum => LogProbs.Sum(logProb => (double)logProb);

    /// <summary>Sum over number of tokens; its negative is the loss per token. Zero for an empty response.</summary>
    public double Mean => LogProbs.Count == 0 ? 0 : Sum / LogProbs.Count;
}
