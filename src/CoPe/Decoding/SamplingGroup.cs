using CoPe.Kernels.Threads;
using CoPe.Kernels.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace CoPe.Decoding;

/// <summary>
/// Sequences of a running batch with the same sampling options, so that one computation over <c>[members, vocab]</c>
/// chooses the tokens of all.
/// </summary>
sealed class SamplingGroup : IDisposable
{
    /// <summary>Stands for the token of a member whose scores are not numbers.</summary>
    public const int InvalidToken = -1;

    /// <summary>
    /// Scores of a step from which on threads share them: fewer are done before another thread has woken.
    /// </summary>
    const long MinScoresToParallelize = 1 << 19;

    readonly DecodingOptions _options;
    readonly Tensor _expertRows;
    readonly Tensor? _amateurRows;
    Tensor? _tokensSoFar; // [members, length]; null without a repetition penalty

    SamplingGroup(IReadOnlyList<RunningSequence> members, Device device)
    {
        Members = members;
        _options = members[0].Request.Options;
        _expertRows = tensor([.. members.Select(member => (long)member.Rows[0])], device: device)
            .DetachFromDisposeScope();
        if (members[0].RowCount == 2)
        {
            _amateurRows = tensor([.. members.Select(member => (long)member.Rows[1])], device: device)
                .DetachFromDisposeScope();
        }
        if (_options.RepetitionPenalty != 1)
        {
            _tokensSoFar = CollectTokens(members, device).DetachFromDisposeScope();
        }
    }

    /// <summary>The sequences, in the order of their tokens.</summary>
    public IReadOnlyList<RunningSequence> Members { get; }

    /// <summary>Whether the highest score decides, and nothing changes scores after the contrast.</summary>
    bool IsGreedyContrast =>
        _amateurRows is not null
        && !_options.DoSample
        && !_options.ReferenceEpsilon
        && !_options.ChangesLogits
        && _tokensSoFar is null;

    /// <summary>The sequences by their sampling options, in the order of their first members.</summary>
    public static List<SamplingGroup> GroupByOptions(IEnumerable<RunningSequence> sequences, Device device) =>
        [.. sequences.GroupBy(CreateKey).Select(group => new SamplingGroup([.. group], device))];

    static (bool HasAmateur, DecodingOptions Sampling) CreateKey(RunningSequence sequence)
    {
        // What ends an answer does not change how its tokens are chosen.
        var sampling = sequence.Request.Options with
        {
            MaxNewTokens = 1,
            StopStrings = Array.Empty<string>(),
        };
        return (sequence.RowCount == 2, sampling);
    }

    /// <summary>
    /// The next token of every member <c>[members]</c> int64, or <see cref="InvalidToken"/>; owned by the caller.
    /// </summary>
    /// <param name="logits">Logits of the whole batch <c>[rows, vocab]</c> float32.</param>
    public Tensor Choose(Tensor logits)
    {
        using var scope = NewDisposeScope();
        if (IsGreedyContrast && ContrastiveArgmax.Supports(logits))
        {
            return tensor(ChooseByArgmax(logits)).MoveToOuterDisposeScope();
        }
        var workers = CountWorkers(logits);
        var membersPerPart = (Members.Count + workers - 1) / workers;
        var partCount = (Members.Count + membersPerPart - 1) / membersPerPart;
        var parts = TorchThreads.Run(
            workers,
            partCount,
            (_, part) =>
            {
                var first = part * membersPerPart;
                return ChoosePart(logits, first, Math.Min(membersPerPart, Members.Count - first));
            }
        );
        var tokens = cat(parts);
        foreach (var part in parts)
        {
            part.Dispose();
        }
        if (_tokensSoFar is not null)
        {
            AppendTokens(tokens);
        }
        return tokens.MoveToOuterDisposeScope();
    }

    int CountWorkers(Tensor logits)
    {
        var isSmall = Members.Count * logits.shape[1] < MinScoresToParallelize;
        if (isSmall || logits.device_type != DeviceType.CPU)
        {
            return 1;
        }
        return Math.Min(TorchThreads.KernelThreadCount, Members.Count);
    }

    long[] ChooseByArgmax(Tensor logits) =>
        ContrastiveArgmax.Compute(
            logits,
            [.. Members.Select(member => (member.Rows[0], member.Rows[1]))],
            _options,
            InvalidToken
        );

    /// <summary>
    /// The tokens of some of the members; outside of any dispose scope, since threads have scopes of their own.
    /// </summary>
    Tensor ChoosePart(Tensor logits, int first, int count)
    {
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        var scores = ComputeScores(logits, first, count); // [count, vocab]
        var best = scores.argmax(-1, keepdim: true); // [count, 1]; of scores with a NaN among them, the NaN
        var isInvalid = scores.gather(1, best).isnan(); // [count, 1]
        var tokens = _options.DoSample ? Draw(scores.masked_fill(isInvalid, Scalars.Of(0)), first) : best.squeeze(1);
        return tokens.masked_fill(isInvalid.squeeze(1), Scalars.Of(InvalidToken)).DetachFromDisposeScope();
    }

    Tensor ComputeScores(Tensor logits, int first, int count)
    {
        var tokensSoFar = _tokensSoFar?.narrow(0, first, count);
        var expert = logits.index_select(0, _expertRows.narrow(0, first, count)); // [count, vocab]
        if (_options.ChangesLogits)
        {
            LogitChange.Apply(
                expert,
                [.. Members.Skip(first).Take(count).Select(member => member.Generated)],
                _options
            );
        }

        if (_amateurRows is null)
        {
            return ApplyPenalty(expert, tokensSoFar);
        }
        var amateur = logits.index_select(0, _amateurRows.narrow(0, first, count)); // [count, vocab]
        var weight = ContrastWeight.Compute(amateur, _options.Contrast, _options.ContrastUnlessCertain); // [count, 1]
        if (_options.Penalize == RepetitionPenaltyTarget.Logits)
        {
            return ComputeContrast(ApplyPenalty(expert, tokensSoFar), ApplyPenalty(amateur, tokensSoFar), weight);
        }
        return ApplyPenalty(ComputeContrast(expert, amateur, weight), tokensSoFar);
    }

    Tensor ComputeContrast(Tensor expert, Tensor amateur, Tensor weight) =>
        ContrastiveScore.Compute(expert, amateur, weight, _options.Plausibility, _options.ReferenceEpsilon);

    Tensor ApplyPenalty(Tensor scores, Tensor? tokensSoFar) =>
        tokensSoFar is null ? scores : RepetitionPenalty.Apply(scores, tokensSoFar, _options.RepetitionPenalty);

    Tensor Draw(Tensor scores, int first)
    {
        var members = Members.Skip(first).Take((int)scores.shape[0]);
        double[] uniforms = [.. members.Select(member => member.NextUniform)];
        var warped = TokenSampler.Warp(scores, _options.Temperature, _options.TopK, _options.TopP);
        return TokenSampler.Draw(warped, tensor(uniforms, ScalarType.Float64, scores.device));
    }

    void AppendTokens(Tensor tokens)
    {
        var longer = cat([_tokensSoFar!, tokens.unsqueeze(1)], 1).DetachFromDisposeScope();
        _tokensSoFar!.Dispose();
        _tokensSoFar = longer;
    }

    /// <summary>
    /// Prompt and answer of every member <c>[members, length]</c> int64, shorter ones filled up with their own first
    /// token, which the penalty counts once.
    /// </summary>
    static Tensor CollectTokens(IReadOnlyList<RunningSequence> members, Device device)
    {
        long[][] rows = [.. members.Select(member => member.PromptAndAnswer.Select(id => (long)id).ToArray())];
        var length = rows.Max(row => row.Length);
        long[] ids = [.. rows.SelectMany(row => row.Concat(Enumerable.Repeat(row[0], length - row.Length)))];
        return tensor(ids, [members.Count, length], device: device);
    }

    public void Dispose()
    {
        _expertRows.Dispose();
        _amateurRows?.Dispose();
        _tokensSoFar?.Dispose();
    }
}
