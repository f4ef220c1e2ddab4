using CoPe.Adapters;
using CoPe.Kernels.Threads;
using CoPe.Kernels.Torch;
using CoPe.Modeling;
using static TorchSharp.torch;

namespace CoPe.Scoring;

/// <summary>
/// Log-probabilities of given responses under several sets of adapters at once (teacher forcing). Responses of one
/// prompt share its computation, logits are computed at response
/// positions alone, in float32.
/// </summary>
public sealed class SequenceScorer
{
    /// <summary>Most logits alive at once.</summary>
    const long LogitsPerChunk = 1 << 24;

    readonly CausalLm _model;
    readonly AdapterBanks _banks;
    readonly ScoringOptions _options;

    /// <summary>A scorer over one model and its adapters, all borrowed.</summary>
    /// <param name="model">The frozen model.</param>
    /// <param name="taskAdapter">Bank of one: the task's adapter; null where no policy wears it.</param>
    /// <param name="userAdapters">The users' adapters; null where no policy wears one.</param>
    /// <param name="options">Limits.</param>
    public SequenceScorer(
        CausalLm model,
        AdapterBank? taskAdapter,
        AdapterBank? userAdapters,
        ScoringOptions? options = null
    )
    {
        _model = model;
        _banks = new AdapterBanks(taskAdapter, userAdapters);
        _options = options ?? new ScoringOptions();
    }

    /// <summary>
    /// Scores every response of every item under each of the item's policies: items in order, within an item by policy,
    /// within a policy by response.
    /// </summary>
    /// <param name="items">The items.</param>
    /// <param name="cancellation">Looked at before every pass.</param>
    /// <exception cref="ArgumentException">
    /// An item cannot be scored: empty prompt, longer than the context, adapter that does not exist.
    /// </exception>
    /// <exception cref="NonFiniteLogitsException">The model gave NaN.</exception>
    public IReadOnlyList<ScoredResponse> Score(IEnumerable<ScoringItem> items, CancellationToken cancellation = default)
    {
        var list = items.ToList();
        list.ForEach(Check);
        var results = list.Select(item => item.Adapters.Select(_ => new ScoredResponse[item.Responses.Count]).ToArray())
            .ToList();
        var rows = list.SelectMany(
                (item, index) => ScoringRow.CreateRows(index, item, _model.Config.HiddenSize, _options.SharePrompts)
            )
            .OrderByDescending(row => row.Length)
            .ToList();
        var workers = TorchThreads.CountForPasses(_model.Device, _model.Weights.Bytes);
        var passes = SplitIntoPasses(rows, workers);
        var scored = TorchThreads.Run(
            workers,
            passes.Count,
            (_, pass) =>
            {
                cancellation.ThrowIfCancellationRequested();
                return ScorePass(passes[pass]);
            }
        );
        foreach (var (pass, scores) in passes.Zip(scored))
        {
            var at = 0;
            foreach (var row in pass)
            {
                foreach (var response in row.Responses)
                {
                    var length = list[row.Item].Responses[response].Count;
                    var logProbs = scores.LogProbs[at..(at + length)];
                    if (Array.FindIndex(logProbs, float.IsNaN) is >= 0 and var bad)
                    {
                        throw new NonFiniteLogitsException(list[row.Item].Id, bad);
                    }

                    results[row.Item][row.Policy][response] = new ScoredResponse(
                        list[row.Item].Id,
                        row.Policy,
                        response,
                        logProbs
                    )
                    {
                        Alternatives = scores.TopTokens.Length == 0 ? [] : scores.TopTokens[at..(at + length)],
                    };
                    at += length;
                }
            }
        }
        return [.. results.SelectMany(policies => policies).SelectMany(responses => responses)];
    }

    /// <summary>Rows, longest first, cut into passes within the budget.</summary>
    List<List<ScoringRow>> SplitIntoPasses(List<ScoringRow> rows, int workers)
    {
        var passes = new List<List<ScoringRow>>();
        var first = 0;
        foreach (var count in PassSplitter.Split([.. rows.Select(row => row.Length)], _options.TokensPerPass, workers))
        {
            passes.Add(rows.GetRange(first, count));
            first += count;
        }

        return passes;
    }

    PassScores ScorePass(List<ScoringRow> rows)
    {
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        if (rows.TrueForAll(row => row.Targets.Count == 0))
        {
            return new([], []);
        }

        using var batch = Pack(rows);
        using var adapters = _banks.SelectRows([.. rows.Select(row => row.Adapters)]);
        var targets = tensor(rows.SelectMany(row => row.Targets).ToArray(), device: _model.Device); // [tokens]
        var hidden = _model.Forward(batch, adapters); // [tokens, hidden]
        var chunk = Math.Max(1, LogitsPerChunk / _model.Config.VocabSize);
        var logProbs = cat([.. hidden.split(chunk).Zip(targets.split(chunk), ComputeLogProbs)])
            .cpu()
            .data<float>()
            .ToArray();
        return new(logProbs, _options.Alternatives == 0 ? [] : [.. hidden.split(chunk).SelectMany(ComputeTopTokens)]);
    }

    /// <summary>The likeliest tokens at each place.</summary>
    List<TokenLogProb[]> ComputeTopTokens(Tensor hidden)
    {
        using var scope = NewDisposeScope();
        var logits = _model.ComputeLogits(hidden); // [tokens, vocab]
        var count = Math.Min(_options.Alternatives, _model.Config.VocabSize);
        var (values, indices) = (logits - logits.logsumexp(-1, keepdim: true)).topk(count); // [tokens, count]
        var (logProbs, ids) = (values.cpu().data<float>().ToArray(), indices.cpu().data<long>().ToArray());
        return [.. ids.Zip(logProbs, (id, logProb) => new TokenLogProb((int)id, logProb)).Chunk(count)];
    }

    Tensor ComputeLogProbs(Tensor hidden, Tensor targets)
    {
        using var scope = NewDisposeScope();
        var logits = _model.ComputeLogits(hidden); // [tokens, vocab]
        return (logits.gather(1, targets.unsqueeze(1)).squeeze(1) - logits.logsumexp(-1)).MoveToOuterDisposeScope();
    }

    TokenBatch Pack(List<ScoringRow> rows)
    {
        var length = rows[0].Length; // the longest, for they are sorted
        Tensor Of(Func<ScoringRow, IEnumerable<long>> column) =>
            tensor(rows.SelectMany(column).ToArray(), [rows.Count, length], device: _model.Device);
        var ids = Of(row => row.Ids(length));
        List<int>[] predictors = [.. rows.Select(row => row.Predictors)];
        if (rows.TrueForAll(row => row.Responses.Count <= 1))
        {
            return new TokenBatch(ids, wanted: predictors);
        }

        var segments = Of(row => row.Segments(length)); // [rows, length]
        // [rows, length, length].
        var same = segments.unsqueeze(2).eq(segments.unsqueeze(1)).logical_or_(segments.eq(Scalars.Of(0)).unsqueeze(1));
        var causal = ones(length, length, ScalarType.Bool, _model.Device).tril();
        return new TokenBatch(ids, Of(row => row.Positions(length)), same.logical_and_(causal), predictors);
    }

    void Check(ScoringItem item)
    {
        if (item.Prompt.Count == 0)
        {
            throw new ArgumentException(
                $"Scoring item '{item.Id}' has an empty prompt; at least one id (the BOS token) is needed."
            );
        }

        var context = _model.Config.MaxPositions;
        foreach (var response in item.Responses.Where(response => item.Prompt.Count + response.Count > context))
        {
            throw new ArgumentException(
                $"Scoring item '{item.Id}' has a prompt of {item.Prompt.Count} and a response of {response.Count} tokens, but the model's context is {context}; cut the prompt."
            );
        }

        foreach (
            var id in item
                .Responses.SelectMany(response => response)
                .Concat(item.Prompt)
                .Where(id => id < 0 || id >= _model.Config.VocabSize)
        )
        {
            throw new ArgumentException(
                $"Scoring item '{item.Id}' has the id {id}, but the model's ids are 0 to {_model.Config.VocabSize - 1}; texts and model need the same tokenizer."
            );
        }

        foreach (var policy in item.Adapters)
        {
            _banks.RequireLoaded(policy, $"Scoring item '{item.Id}'");
        }
    }
}

/// <summary>Limits of scoring: what they change is speed and memory, never a result beyond rounding.</summary>
public sealed record ScoringOptions
{
    /// <summary>Most tokens, padding included, in one pass (a longer row is a pass of its own).</summary>
    public int TokensPerPass
    {
        get;
        init =>
            field =
                value >= 1
                    ? value
                    : throw new ArgumentOutOfRangeException(
                        nameof(TokensPerPass),
                        value,
                        "At least one token fits in a pass."
                    );
    } = 4096;

    /// <summary>
    /// Whether the responses of an item may share one row, each seeing the prompt and itself, where that is less work.
    /// </summary>
    public bool SharePrompts { get; init; } = true;

    /// <summary>
    /// How many of the likeliest tokens are told at each place; 0 tells none. Their computation costs the logits a
    /// second time.
    /// </summary>
    public int Alternatives
    {
        get;
        init =>
            field =
                value >= 0
                    ? value
                    : throw new ArgumentOutOfRangeException(
                        nameof(Alternatives),
                        value,
                        "No fewer than none can be told."
                    );
    }
}

/// <summary>What one scoring pass came to, token by token.</summary>
/// <param name="LogProbs">log p of each token asked for.</param>
/// <param name="TopTokens">The likeliest tokens at each place, best first; empty where none were asked for.</param>
readonly record struct PassScores(float[] LogProbs, TokenLogProb[][] TopTokens);
