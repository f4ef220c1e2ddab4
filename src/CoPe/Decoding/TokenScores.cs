using CoPe.Scoring;
using static TorchSharp.torch;

namespace CoPe.Decoding;

/// <summary>How likely the expert found a chosen token, before temperature, penalties and contrast.</summary>
/// <param name="LogProb">log p of the token under the expert, in nats.</param>
/// <param name="Alternatives">The expert's likeliest tokens, best first.</param>
sealed record TokenScores(float LogProb, IReadOnlyList<TokenLogProb> Alternatives)
{
    /// <summary>What the amateur says of them; null where the request has none.</summary>
    public AmateurScores? Amateur { get; init; }

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
        var likeliest = FindLikeliest(expert, alternatives);
        return new(expert[token].item<float>(), likeliest)
        {
            Amateur =
                sequence.RowCount == 2
                    ? AmateurScores.Compute(logits[sequence.Rows[1]], token, likeliest, sequence.Request.Options)
                    : null,
        };
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

/// <summary>How likely the amateur found a chosen token and the expert's likeliest ones.</summary>
/// <param name="LogProb">log p of the token under the amateur, in nats.</param>
/// <param name="Alternatives">The same of the expert's likeliest tokens, in their order.</param>
/// <param name="WithoutContrast">Whether it was so certain that the contrast was left out.</param>
sealed record AmateurScores(float LogProb, IReadOnlyList<float> Alternatives, bool WithoutContrast)
{
    /// <summary>The amateur's scores.</summary>
    /// <param name="logits">The amateur's <c>[vocab]</c> float32; still the caller's.</param>
    /// <param name="token">The chosen token.</param>
    /// <param name="likeliest">The expert's likeliest tokens.</param>
    /// <param name="options">How the token was chosen.</param>
    public static AmateurScores Compute(
        Tensor logits,
        long token,
        IReadOnlyList<TokenLogProb> likeliest,
        DecodingOptions options
    )
    {
        using var scope = NewDisposeScope();
        var logProbs = logits.log_softmax(-1); // [vocab]
        var highest = Math.Exp(logProbs.max().item<float>());
        return new(
            logProbs[token].item<float>(),
            [.. likeliest.Select(one => logProbs[one.Id].item<float>())],
            options.Contrast > 0 && ContrastWeight.IsCertain(highest, options.ContrastUnlessCertain)
        );
    }
}
