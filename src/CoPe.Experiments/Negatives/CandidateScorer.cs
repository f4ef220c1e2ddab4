using CoPe.Adapters;
using CoPe.Scoring;

namespace CoPe.Experiments.Negatives;

/// <summary>
/// Scores own texts and candidates under the user's model and the task-adaptive model, both in one pass, each prompt
/// computed once.
/// </summary>
/// <param name="scorer">A scorer with the task's adapter and the users'.</param>
/// <param name="span">
/// Which tokens count. For prompt and answer the caller gives both as raw text; the very first token has no
/// probability, which is the answer's own where the prompt is empty.
/// </param>
public sealed class CandidateScorer(SequenceScorer scorer, RewardSpan span = RewardSpan.Response)
{
    /// <summary>Scores the items, in their order.</summary>
    /// <param name="items">The items.</param>
    /// <param name="cancellation">Looked at before every pass.</param>
    public IReadOnlyList<ScoredCandidates> Score(
        IReadOnlyList<CandidatesToScore> items,
        CancellationToken cancellation = default
    )
    {
        var asked = items.Select(ToScoringItems).ToList();
        var scored = scorer.Score(asked.SelectMany(parts => parts), cancellation);
        var results = new List<ScoredCandidates>(items.Count);
        var at = 0;
        foreach (var (item, parts) in items.Zip(asked))
        {
            var scores = new List<CandidateScore>();
            foreach (var texts in parts.Select(part => part.Responses.Count))
            {
                var (user, task) = (at, at + texts); // scores come by policy, then by response
                scores.AddRange(
                    Enumerable
                        .Range(0, texts)
                        .Select(i => new CandidateScore(
                            scored[user + i].Sum,
                            scored[task + i].Sum,
                            scored[user + i].LogProbs.Count
                        ))
                );
                at += 2 * texts;
            }

            results.Add(new ScoredCandidates(item.UserId, item.ItemId, scores[0], scores[1..]));
        }

        return results;
    }

    /// <summary>
    /// An item as one prompt with all its texts; where only a text's own first token can be its prompt, a prompt a
    /// text.
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
            return
            [
                .. texts.Select(text =>
                    CreateScoringItem(
                        item,
                        [.. text.Take(1)],
                        [
                            [.. text.Skip(1)],
                        ]
                    )
                ),
            ];
        }

        return
        [
            CreateScoringItem(
                item,
                [item.Prompt[0]],
                texts.Select(text => (IReadOnlyList<int>)[.. item.Prompt.Skip(1), .. text])
            ),
        ];
    }

    static ScoringItem CreateScoringItem(
        CandidatesToScore item,
        IReadOnlyList<int> prompt,
        IEnumerable<IReadOnlyList<int>> responses
    ) =>
        new(
            $"{item.UserId}/{item.ItemId}",
            prompt,
            [.. responses],
            [AdapterSelection.TaskAndUser(item.UserAdapter), AdapterSelection.Task]
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
/// How likely a text is to the user's model and to the task-adaptive model; the latter is what DPO's reference policy
/// says of it.
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
    public double ComputeReward(RewardKind kind = RewardKind.Sum) =>
        (UserLogProb - TaskLogProb) / (kind == RewardKind.Mean ? Math.Max(1, Tokens) : 1);
}

/// <summary>How a candidate's log-probabilities become one number.</summary>
public enum RewardKind
{
    /// <summary>Sum over tokens.</summary>
    Sum,

    /// <summary>Mean per token.</summary>
    Mean,
}
