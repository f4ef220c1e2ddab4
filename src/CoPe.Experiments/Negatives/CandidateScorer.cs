using CoPe.Adapters;
using CoPe.Scoring;

namespace CoPe.Experiments.Negatives;

/// <summary>
/// Scores the users' own texts and the candidates under the user's model and the task-adaptive model, both in one pass,
/// each prompt computed once.
/// </summary>
/// <param name="scorer">A scorer with the task's adapter and the users'.</param>
/// <param name="span">
/// Which tokens count. For prompt and answer the caller gives both as raw text; the very first token has no
/// probability, which is the answer's own where the prompt is empty.
/// </param>
/// <param name="hasTaskAdapter">
/// Whether the task-adaptive model has an adapter; otherwise it is the base model alone.
/// </param>
public sealed class CandidateScorer(
    SequenceScorer scorer,
    RewardSpan span = RewardSpan.Response,
    bool hasTaskAdapter = true
)
{
    /// <summary>Scores the items, in their order.</summary>
    /// <param name="items">The items.</param>
    /// <param name="cancellation">Checked before every pass.</param>
    public IReadOnlyList<ScoredCandidates> Score(
        IReadOnlyList<CandidatesToScore> items,
        CancellationToken cancellation = default
    )
    {
        var scoringItems = items.Select(ToScoringItems).ToList();
        var scored = scorer.Score(scoringItems.SelectMany(parts => parts), cancellation);
        var results = new List<ScoredCandidates>(items.Count);
        var position = 0;
        foreach (var (item, parts) in items.Zip(scoringItems))
        {
            var scores = new List<CandidateScore>();
            foreach (var responses in parts.Select(part => part.Responses.Count))
            {
                // Scores are ordered by adapter selection, then by response.
                for (var response = 0; response < responses; response++)
                {
                    var user = scored[position + response];
                    var task = scored[position + responses + response];
                    scores.Add(new CandidateScore(user.Sum, task.Sum, user.LogProbs.Count));
                }

                position += 2 * responses;
            }

            results.Add(new ScoredCandidates(item.UserId, item.ItemId, scores[0], scores[1..]));
        }

        return results;
    }

    /// <summary>
    /// An item as one prompt with all its texts; without a prompt, each text's first token is a prompt of its own.
    /// </summary>
    ScoringItem[] ToScoringItems(CandidatesToScore item)
    {
        var texts = item.Candidates.Prepend(item.Gold);
        if (span == RewardSpan.Response)
        {
            return [CreateScoringItem(item, item.Prompt, texts)];
        }

        if (item.Prompt.Count == 0)
        {
            return [.. texts.Select(text => CreateScoringItem(item, [.. text.Take(1)], [text.Skip(1).ToList()]))];
        }

        var promptAndTexts = texts.Select(text => item.Prompt.Skip(1).Concat(text).ToList());
        return [CreateScoringItem(item, [item.Prompt[0]], promptAndTexts)];
    }

    ScoringItem CreateScoringItem(
        CandidatesToScore item,
        IReadOnlyList<int> prompt,
        IEnumerable<IReadOnlyList<int>> responses
    ) =>
        new(
            $"{item.UserId}/{item.ItemId}",
            prompt,
            [.. responses],
            [AdapterSelection.Create(hasTaskAdapter, item.UserAdapter), AdapterSelection.Create(hasTaskAdapter, null)]
        );
}

/// <summary>Which tokens the implicit reward counts.</summary>
public enum RewardSpan
{
    /// <summary>The answer's own, under the chat template of training.</summary>
    Response,

    /// <summary>Prompt and answer as raw text, as the reference code does.</summary>
    PromptAndResponse,
}

/// <summary>A history item with its candidates, in ids.</summary>
/// <param name="UserId">The user.</param>
/// <param name="ItemId">The item.</param>
/// <param name="UserAdapter">Index of the user's adapter in the scorer's user bank.</param>
/// <param name="Prompt">Ids of the prompt.</param>
/// <param name="Gold">Ids of the user's own text, the end-of-turn token last.</param>
/// <param name="Candidates">Ids of each candidate, the end-of-turn token last.</param>
public sealed record CandidatesToScore(
    string UserId,
    string ItemId,
    int UserAdapter,
    IReadOnlyList<int> Prompt,
    IReadOnlyList<int> Gold,
    IReadOnlyList<IReadOnlyList<int>> Candidates
);

/// <summary>Scores of a history item: of the user's own text and of each candidate.</summary>
/// <param name="UserId">The user.</param>
/// <param name="ItemId">The item.</param>
/// <param name="Gold">Score of the text the user wrote.</param>
/// <param name="Candidates">Scores of the candidates, in their order.</param>
public sealed record ScoredCandidates(
    string UserId,
    string ItemId,
    CandidateScore Gold,
    IReadOnlyList<CandidateScore> Candidates
);

/// <summary>
/// Log-probabilities of a text under the user's model and the task-adaptive model; the latter is that of DPO's
/// reference policy.
/// </summary>
/// <param name="UserLogProb">log pi_user(y | x), summed over tokens.</param>
/// <param name="TaskLogProb">log pi_TAM(y | x), summed over tokens.</param>
/// <param name="Tokens">Number of tokens summed over.</param>
public sealed record CandidateScore(double UserLogProb, double TaskLogProb, int Tokens)
{
    /// <summary>
    /// The implicit reward of the text (CoPe eq. 4; reference: <c>compute_scores.py</c>, whose <c>difference</c> is its
    /// negative).
    /// <code>r(y | x) = log pi_user(y | x) - log pi_TAM(y | x)</code>
    /// </summary>
    /// <param name="kind">Sum over tokens, or mean per token.</param>
    /// <returns>The reward in nats.</returns>
    public double ComputeReward(RewardKind kind = RewardKind.Sum)
    {
        var sum = UserLogProb - TaskLogProb;
        return kind == RewardKind.Mean ? sum / Math.Max(1, Tokens) : sum;
    }
}

/// <summary>How the log-probabilities of a candidate's tokens are reduced.</summary>
public enum RewardKind
{
    /// <summary>Sum over tokens.</summary>
    Sum,

    /// <summary>Mean per token.</summary>
    Mean,
}
