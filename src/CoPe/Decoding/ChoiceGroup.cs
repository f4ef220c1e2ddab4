using static TorchSharp.torch;

namespace CoPe.Decoding;

/// <summary>Sequences of a running batch that choose their tokens in one way, so that one run over <c>[members, vocab]</c> serves them all.</summary>
sealed class ChoiceGroup : IDisposable
{
    readonly DecodingOptions _options;
    readonly Tensor _experts;
    readonly Tensor? _amateurs;
    Tensor? _soFar;

    ChoiceGroup(IReadOnlyList<Sequence> members, Device device)
    {
        Members = members;
        _options = members[0].Request.Options;
        _experts = tensor(members.Select(member => (long)member.Rows[0]).ToArray(), device: device).DetachFromDisposeScope();
        if (members[0].RowCount == 2)
            _amateurs = tensor(members.Select(member => (long)member.Rows[1]).ToArray(), device: device).DetachFromDisposeScope();
        if (_options.RepetitionPenalty != 1) _soFar = TokensSoFar(members, device).DetachFromDisposeScope();
    }

    public IReadOnlyList<Sequence> Members { get; }

    public static List<ChoiceGroup> Of(IEnumerable<Sequence> sequences, Device device) =>
        [.. sequences.GroupBy(Key).Select(group => new ChoiceGroup([.. group], device))];

    /// <summary>The next token of every member, <c>[members]</c> int64, from the logits <c>[rows, vocab]</c> float32 of the whole batch.</summary>
    public Tensor Choose(Tensor logits)
    {
        using var scope = NewDisposeScope();
        var scores = logits.index_select(0, _experts); // [members, vocab]
        if (_amateurs is null) scores = Penalised(scores);
        else
        {
            var amateurs = logits.index_select(0, _amateurs);
            var early = _options.Penalize == PenaltyPlace.Logits;
            if (early) (scores, amateurs) = (Penalised(scores), Penalised(amateurs));
            scores = ContrastiveScore.Compute(scores, amateurs, _options.Contrast, _options.Plausibility, _options.ReferenceEpsilon);
            if (!early) scores = Penalised(scores);
        }

        var tokens = _options.Sample ? Draw(scores) : scores.argmax(-1);
        if (_soFar is not null) Remember(tokens);
        return tokens.MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        _experts.Dispose();
        _amateurs?.Dispose();
        _soFar?.Dispose();
    }

    static (bool, double, double, bool, double, PenaltyPlace, bool, double, int, double) Key(Sequence sequence)
    {
        var o = sequence.Request.Options;
        return (sequence.RowCount == 2, o.Contrast, o.Plausibility, o.ReferenceEpsilon, o.RepetitionPenalty, o.Penalize, o.Sample, o.Temperature, o.TopK, o.TopP);
    }

    Tensor Penalised(Tensor scores) => _soFar is null ? scores : RepetitionPenalty.Apply(scores, _soFar, _options.RepetitionPenalty);

    Tensor Draw(Tensor scores)
    {
        var uniforms = tensor(Members.Select(member => member.NextUniform).ToArray(), ScalarType.Float64, scores.device);
        return TokenSampler.Draw(TokenSampler.Warp(scores, _options.Temperature, _options.TopK, _options.TopP), uniforms);
    }

    void Remember(Tensor tokens)
    {
        var longer = cat([_soFar!, tokens.unsqueeze(1)], 1).DetachFromDisposeScope();
        _soFar!.Dispose();
        _soFar = longer;
    }

    static Tensor TokensSoFar(IReadOnlyList<Sequence> members, Device device)
    {
        var rows = members.Select(member => member.PromptAndAnswer.Select(id => (long)id).ToArray()).ToArray();
        var length = rows.Max(row => row.Length);
        var ids = rows.SelectMany(row => row.Concat(Enumerable.Repeat(row[0], length - row.Length))).ToArray();
        return tensor(ids, [members.Count, length], device: device);
    }
}
