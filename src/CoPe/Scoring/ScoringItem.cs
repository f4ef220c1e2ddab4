using CoPe.Adapters;

namespace CoPe.Scoring;

/// <summary>Responses to one prompt, to be scored under one or several selections of adapters.</summary>
/// <param name="Id">Where it comes from, for messages and results.</param>
/// <param name="Prompt">Ids of the prompt, at least one.</param>
/// <param name="Responses">
/// Ids of each response, the end-of-turn token last; an empty one has no log-probabilities.
/// </param>
/// <param name="Adapters">The adapters to score under, for example the user's and the task's.</param>
public sealed record ScoringItem(
    string Id,
    IReadOnlyList<int> Prompt,
    IReadOnlyList<IReadOnlyList<int>> Responses,
    IReadOnlyList<AdapterSelection> Adapters
);

/// <summary>Log-probabilities of one response under one selection of adapters.</summary>
/// <param name="ItemId">The item.</param>
/// <param name="Selection">Index in the item's selections of adapters.</param>
/// <param name="Response">Index in the item's responses.</param>
/// <param name="LogProbs">log p of each token of the response given all before it.</param>
public sealed record ScoredResponse(string ItemId, int Selection, int Response, IReadOnlyList<float> LogProbs)
{
    /// <summary>
    /// The most likely tokens at each position of the response, best first; empty where
    /// <see cref="ScoringOptions.Alternatives"/> is 0.
    /// </summary>
    public IReadOnlyList<IReadOnlyList<TokenLogProb>> Alternatives { get; init; } = [];

    /// <summary>
    /// Log-probability of the response in nats:
    /// <code>log p(y | x) = sum_t log p(y_t | x, y_&lt;t)</code>
    /// </summary>
    public double Sum => LogProbs.Sum(logProb => (double)logProb);

    /// <summary>
    /// The sum over the number of tokens; its negative is the loss per token. Zero for an empty response.
    /// </summary>
    public double Mean => LogProbs.Count == 0 ? 0 : Sum / LogProbs.Count;
}

/// <summary>A token and its log-probability.</summary>
/// <param name="Id">The token.</param>
/// <param name="LogProb">log p of the token given all before it, in nats.</param>
public readonly record struct TokenLogProb(int Id, float LogProb);

/// <summary>A model gave logits that are not numbers, so that no token can be chosen or scored by them.</summary>
public sealed class NonFiniteLogitsException : Exception
{
    /// <summary>For logits of a request or an item, after so many tokens of its answer.</summary>
    public NonFiniteLogitsException(string id, int tokens)
        : base(
            $"'{MessageText.ToOneLine(id)}': after {tokens} tokens of the answer the model's scores are not numbers "
                + "(NaN): its weights, or those of its adapters, hold NaN or infinity. "
                + "Look for a training that diverged, or a damaged file."
        )
    { }
}
