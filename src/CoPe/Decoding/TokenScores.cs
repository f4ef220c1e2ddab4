using CoPe.Scoring;
using static TorchSharp.torch;

namespace CoPe.Decoding;

/// <summary>How likely the models found a chosen token, before temperature, penalties and contrast.</summary>
/// <param name="LogProb">log p of the token under the expert, in nats.</param>
/// <param name="AmateurLogProb">The same under the amateur; null where the request has none.</param>
/// <param name="Alternatives">The expert's likeliest tokens, best first.</param>
sealed record TokenScores(float LogProb, float? AmateurLogProb, IReadOnlyList<TokenLogProb> Alternatives)
{
    /// <summary>The scores of those sequences that ask for them.</summary>
    /// <param name="logits">Logits of the whole batch <c>[rows, vocab]</c> float32; still the caller's.</param>
    /// <param name="sequences">The sequences of the batch.</param>
    /// <param name="tokens">The token chosen for each, or <see cref="SamplingGroup.InvalidToken"/>.</param>
    public static IReadOnlyDictionary<RunningSequence, TokenScores> Compute(
        Tensor logits,
        IReadOnlyList<RunningSequence> sequences,
        IReadOnlyList<long> tokens
    )
    {
        var scored = new Dictionary<RunningSequence, TokenScores>();
        foreach (var (index, sequence) in sequences.Index())
        {
            if (sequence.ScoredAlternatives is { } alternatives && tokens[index] != SamplingGroup.InvalidToken)
            {
                scored[sequence] = Compute(logits, sequence, tokens[index], alternatives);
            }
        }

        return scored;
    }

    static TokenScores Compute(Tensor logits, RunningSequence sequence, long token, int alternatives)
    {
        using var scope = NewDisposeScope();
        var expert = logits[sequence.Rows[0]].log_softmax(-1); // [vocab]
        float? amateur = sequence.RowCount == 2 ? logits[sequence.Rows[1]].log_softmax(-1)[token].item<float>() : null;
        return new(expert[token].item<float>(), amateur, FindLikeliest(expert, alternatives));
    }

    static TokenLogProb[] FindLikeliest(Tensor logProbs, int count)
    {
        if (count == 0)
        {
            return [];
        }

        var (values, indices) = logProbs.topk((int)Math.Min(count, logProbs.shape[0]));
        return
        [
            .. indices
                .cpu()
                .data<long>()
                .Zip(values.cpu().data<float>(), (id, value) => new TokenLogProb((int)id, value)),
        ];
    }
}
