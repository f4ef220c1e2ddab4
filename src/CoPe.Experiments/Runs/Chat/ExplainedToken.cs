using CoPe.Decoding;
using CoPe.Scoring;
using CoPe.Tokens;

namespace CoPe.Experiments.Runs.Chat;

/// <summary>A token of an answer, and how likely it was for the user's model and for the task-adaptive model.</summary>
/// <param name="Text">What it adds to the text; empty inside a character.</param>
/// <param name="Expert">Its log-probability under the user's model, in nats.</param>
/// <param name="Amateur">Its log-probability under the task-adaptive model, in nats.</param>
/// <param name="Alternatives">The tokens that the user's model found most likely instead, best first.</param>
public sealed record ExplainedToken(
    string Text,
    float Expert,
    float Amateur,
    IReadOnlyList<TokenAlternative> Alternatives
)
{
    /// <summary>The token ends the answer and is no part of its text.</summary>
    public bool EndsAnswer { get; init; }

    /// <summary>
    /// The task-adaptive model was certain at this place, so that the user's model chose alone
    /// (<see cref="ChatSessionOptions.ContrastUnlessCertain"/>).
    /// </summary>
    public bool WithoutContrast { get; init; }

    /// <summary>
    /// How much more likely the token is for the user's model; the implicit reward of the answer up to the factor beta
    /// is the sum over its tokens.
    /// <code>log p_e(y_t | x, y_&lt;t) - log p_a(y_t | x, y_&lt;t)</code>
    /// </summary>
    public float Reward => Expert - Amateur;
}

/// <summary>A token that could have been chosen.</summary>
/// <param name="Text">What it would have added to the text.</param>
/// <param name="LogProb">Its log-probability under the user's model, in nats.</param>
public sealed record TokenAlternative(string Text, float LogProb);

/// <summary>Turns the scores of an answer under two models into explained tokens.</summary>
static class AnswerExplanation
{
    /// <summary>One record per token, the one that ends the answer included.</summary>
    /// <param name="tokenizer">The model's.</param>
    /// <param name="answer">The answer.</param>
    /// <param name="expert">Its scores under the user's model, with alternatives.</param>
    /// <param name="amateur">Its scores under the task-adaptive model, with alternatives.</param>
    /// <param name="options">How it was decoded.</param>
    public static IReadOnlyList<ExplainedToken> Create(
        Tokenizer tokenizer,
        ChatAnswer answer,
        ScoredResponse expert,
        ScoredResponse amateur,
        DecodingOptions options
    )
    {
        var decoder = tokenizer.CreateStreamingDecoder(skipSpecialTokens: false);
        var pieces = answer.Ids.Select(decoder.Add).ToList();
        pieces[^1] += decoder.Finish();
        return [.. answer.Ids.Select(Explain)];

        ExplainedToken Explain(int id, int i) =>
            new(pieces[i], expert.LogProbs[i], amateur.LogProbs[i], ListAlternatives(id, i))
            {
                EndsAnswer = i == answer.Ids.Count - 1 && answer.StopReason == StopReason.StopToken,
                WithoutContrast = ContrastWeight.IsLeftOut(options, amateur, i),
            };

        IReadOnlyList<TokenAlternative> ListAlternatives(int id, int i) =>
            [
                .. expert
                    .Alternatives[i]
                    .Where(token => token.Id != id)
                    .Take(expert.Alternatives[i].Count - 1)
                    .Select(token => new TokenAlternative(DecodeAfter(i, token.Id), token.LogProb)),
            ];

        // The first token of a text may lose its space, so a token is decoded behind the one before it.
        string DecodeAfter(int index, int id)
        {
            var single = tokenizer.CreateStreamingDecoder(skipSpecialTokens: false);
            single.Add(index == 0 ? answer.Prompt[^1] : answer.Ids[index - 1]);
            return single.Add(id) + single.Finish();
        }
    }
}
