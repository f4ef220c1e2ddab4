using CoPe.Kernels.Threads;
using CoPe.Kernels.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace CoPe.Decoding;

/// <summary>
/// Sequences of a running batch that choose their tokens in one way, so that one run over <c>[members, vocab]</c>
/// serves them all.
/// </summary>
sealed class SamplingGroup : IDisposable
{
    /// <summary>
    /// Scores of a step from which on threads share them: fewer are done before another thread has woken.
    /// </summary>
    const long MinScoresToParallelize = 1 << 19;

    /// <summary>Stands for the token of a member whose scores are not numbers.</summary>
    public const int InvalidToken = -1;

    readonly DecodingOptions _options;
    readonly Tensor _experts;
    readonly Tensor? _amateurs;
    Tensor? _soFar;

    SamplingGroup(IReadOnlyList<RunningSequence> members, Device device)
    {
        Members = members;
        _options = members[0].Request.Options;
        _experts = tensor(members.Select(member => (long)member.Rows[0]).ToArray(), device: device)
            .DetachFromDisposeScope();
        if (members[0].RowCount == 2)
        {
            _amateurs = tensor(members.Select(member => (long)member.Rows[1]).ToArray(), device: device)
                .DetachFromDisposeScope();
        }

        if (_options.RepetitionPenalty != 1)
        {
            _soFar = TokensSoFar(members, device).DetachFromDisposeScope();
        }
    }

    public IReadOnlyList<RunningSequence> Members { get; }

    public static List<SamplingGroup> GroupByOptions(IEnumerable<RunningSequence> sequences, Device device) =>
        [.. sequences.GroupBy(Key).Select(group => new SamplingGroup([.. group], device))];

    /// <summary>
    /// The next token of every member, <c>[members]</c> int64, or <see cref="InvalidToken"/>, from the logits <c>[rows,
    /// vocab]</c> float32 of the whole batch.
    /// </summary>
    public Tensor Choose(Tensor logits)
    {
        using var scope = NewDisposeScope();
        if (IsGreedyContrast && ContrastiveArgmax.Supports(logits))
        {
            return tensor(GreedyContrast(logits)).MoveToOuterDisposeScope();
        }

        var workers =
            Members.Count * logits.shape[1] < MinScoresToParallelize || logits.device_type != DeviceType.CPU
                ? 1
                : Math.Min(TorchThreads.KernelThreadCount, Members.Count);
        var share = (Members.Count + workers - 1) / workers;
        var parts = TorchThreads.Run(
            workers,
            (Members.Count + share - 1) / share,
            (_, part) => Choose(logits, part * share, Math.Min(share, Members.Count - part * share))
        );
        var tokens = cat(parts);
        foreach (var part in parts)
        {
            part.Dispose();
        }

        if (_soFar is not null)
        {
            AppendTokens(tokens);
        }

        return tokens.MoveToOuterDisposeScope();
    }

    /// <summary>Whether the highest score is all that is asked, and nothing moves scores after the contrast.</summary>
    bool IsGreedyContrast =>
        _amateurs is not null && !_options.DoSample && !_options.ReferenceEpsilon && _soFar is null;

    long[] GreedyContrast(Tensor logits) =>
        ContrastiveArgmax.Compute(
            logits,
            [.. Members.Select(member => (member.Rows[0], member.Rows[1]))],
            _options.Contrast,
            _options.Plausibility,
            InvalidToken
        );

    /// <summary>
    /// The same for some of the members; the caller's own, since threads have dispose scopes of their own.
    /// </summary>
    Tensor Choose(Tensor logits, int first, int count)
    {
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        var soFar = _soFar?.narrow(0, first, count);
        var scores = logits.index_select(0, _experts.narrow(0, first, count)); // [count, vocab]
        if (_amateurs is null)
        {
            scores = ApplyPenalty(scores, soFar);
        }
        else
        {
            var amateurs = logits.index_select(0, _amateurs.narrow(0, first, count));
            var early = _options.Penalize == RepetitionPenaltyTarget.Logits;
            if (early)
            {
                (scores, amateurs) = (ApplyPenalty(scores, soFar), ApplyPenalty(amateurs, soFar));
            }

            scores = ContrastiveScore.Compute(
                scores,
                amateurs,
                _options.Contrast,
                _options.Plausibility,
                _options.ReferenceEpsilon
            );
            if (!early)
            {
                scores = ApplyPenalty(scores, soFar);
            }
        }

        var best = scores.argmax(-1, keepdim: true); // of scores with a NaN among them, the NaN
        var ill = scores.gather(1, best).isnan(); // [count, 1]
        var tokens = _options.DoSample ? Draw(scores.masked_fill(ill, Scalars.Of(0)), first) : best.squeeze(1);
        return tokens.masked_fill(ill.squeeze(1), Scalars.Of(InvalidToken)).DetachFromDisposeScope();
    }

    public void Dispose()
    {
        _experts.Dispose();
        _amateurs?.Dispose();
        _soFar?.Dispose();
    }

    static (bool, double, double, bool, double, RepetitionPenaltyTarget, bool, double, int, double) Key(
        RunningSequence sequence
    )
    {
        var o = sequence.Request.Options;
        return (
            sequence.RowCount == 2,
            o.Contrast,
            o.Plausibility,
            o.ReferenceEpsilon,
            o.RepetitionPenalty,
            o.Penalize,
            o.DoSample,
            o.Temperature,
            o.TopK,
            o.TopP
        );
    }

    Tensor ApplyPenalty(Tensor scores, Tensor? soFar) =>
        soFar is null ? scores : RepetitionPenalty.Apply(scores, soFar, _options.RepetitionPenalty);

    Tensor Draw(Tensor scores, int first)
    {
        var uniforms = tensor(
            Members.Skip(first).Take((int)scores.shape[0]).Select(member => member.NextUniform).ToArray(),
            ScalarType.Float64,
            scores.device
        );
        return TokenSampler.Draw(
            TokenSampler.Warp(scores, _options.Temperature, _options.TopK, _options.TopP),
            uniforms
        );
    }

    void AppendTokens(Tensor tokens)
    {
        var longer = cat([_soFar!, tokens.unsqueeze(1)], 1).DetachFromDisposeScope();
        _soFar!.Dispose();
        _soFar = longer;
    }

    static Tensor TokensSoFar(IReadOnlyList<RunningSequence> members, Device device)
    {
        var rows = members.Select(member => member.PromptAndAnswer.Select(id => (long)id).ToArray()).ToArray();
        var length = rows.Max(row => row.Length);
        var ids = rows.SelectMany(row => row.Concat(Enumerable.Repeat(row[0], length - row.Length))).ToArray();
        return tensor(ids, [members.Count, length], device: device);
    }
}
