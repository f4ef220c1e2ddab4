using System.ComponentModel.DataAnnotations;
using CoPe.Adapters;
using CoPe.Kernels.Fused;
using CoPe.Kernels.Threads;
using CoPe.Kernels.Torch;
using CoPe.Modeling;
using static TorchSharp.torch;

namespace CoPe.Scoring;

/// <summary>
/// Log-probabilities of given responses under several selections of adapters at once (teacher forcing). Responses of
/// one prompt share its computation; logits are computed where they predict a response, in float32.
/// </summary>
/// <example>
/// <code>
/// var scorer = new SequenceScorer(model, task, users);
/// var item = new ScoringItem(
///     "headline 1",
///     prompt,
///     [response],
///     [AdapterSelection.TaskAndUser(0), AdapterSelection.Task]
/// );
/// var scores = scorer.Score([item]);
/// var implicitReward = scores[0].Sum - scores[1].Sum;
/// </code>
/// </example>
public sealed class SequenceScorer
{
    /// <summary>Most logits alive at once.</summary>
    const long LogitsPerChunk = 1 << 24;

    readonly CausalLm _model;
    readonly AdapterBanks _banks;
    readonly ScoringOptions _options;

    /// <summary>A scorer over one model and its adapters, none of which it owns.</summary>
    /// <param name="model">The frozen model.</param>
    /// <param name="taskAdapter">Bank of one: the task's adapter; null where no item uses it.</param>
    /// <param name="userAdapters">The users' adapters; null where no item uses one.</param>
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
    /// Keeps prompts that others need too, where an adapter acts on the answer alone; null keeps them while a pass uses
    /// them. Not owned.
    /// </summary>
    internal PrefixCache? Prompts { get; init; }

    /// <summary>
    /// Scores every response of every item under each of the item's selections of adapters: items in order, within an
    /// item by selection, within a selection by response.
    /// </summary>
    /// <param name="items">The items.</param>
    /// <param name="cancellation">Checked before every pass.</param>
    /// <exception cref="ArgumentException">
    /// An item cannot be scored: empty prompt, longer than the context, unknown token, adapter that does not exist.
    /// </exception>
    /// <exception cref="NonFiniteLogitsException">The model gave NaN.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public IReadOnlyList<ScoredResponse> Score(IEnumerable<ScoringItem> items, CancellationToken cancellation = default)
    {
        var list = items.ToList();
        list.ForEach(Validate);
        var rows = list.SelectMany((item, index) => CreateRows(index, item))
            .OrderByDescending(row => row.PassLength)
            .ToList();
        var workers = TorchThreads.CountForPasses(_model.Device, _model.Weights.Bytes);
        var passes = rows.GroupBy(row => row.Prefix is not null)
            .SelectMany(group =>
                PassSplitter.SplitRows([.. group], row => row.PassLength, _options.TokensPerPass, workers)
            )
            .ToList();
        using var ownPrompts = new PrefixCache(0);
        var prompts = new PrefixSource(Prompts ?? ownPrompts, _model, workers);
        var scores = TorchThreads.Run(
            workers,
            passes.Count,
            (_, pass) =>
            {
                cancellation.ThrowIfCancellationRequested();
                return ScorePass(passes[pass], prompts);
            }
        );
        NativeHeap.ReleaseFreedMemory(); // Passes of other shapes leave blocks that those of the next call do not fit.
        return CollectResponses(list, passes, scores);
    }

    IEnumerable<ScoringRow> CreateRows(int index, ScoringItem item) =>
        ScoringRow.CreateRows(index, item, _banks, _model.Config.HiddenSize, SharesPrompts);

    /// <summary>Texts of several lengths share no prompt whose keys depend on the length.</summary>
    bool SharesPrompts => _options.SharePrompts && !_model.Config.Rope.DependsOnLength;

    /// <summary>The scores of all passes by item, selection and response.</summary>
    static List<ScoredResponse> CollectResponses(
        List<ScoringItem> items,
        IReadOnlyList<IReadOnlyList<ScoringRow>> passes,
        PassScores[] scores
    )
    {
        var results = items
            .Select(item => item.Adapters.Select(_ => new ScoredResponse[item.Responses.Count]).ToArray())
            .ToList();
        foreach (var (pass, passScores) in passes.Zip(scores))
        {
            var first = 0;
            foreach (var row in pass)
            {
                foreach (var response in row.Responses)
                {
                    var item = items[row.Item];
                    var tokens = first..(first + item.Responses[response].Count);
                    results[row.Item][row.Selection][response] = CreateResponse(
                        item,
                        row,
                        response,
                        passScores,
                        tokens
                    );
                    first = tokens.End.Value;
                }
            }
        }
        return [.. results.SelectMany(selections => selections).SelectMany(responses => responses)];
    }

    static ScoredResponse CreateResponse(
        ScoringItem item,
        ScoringRow row,
        int response,
        PassScores scores,
        Range tokens
    )
    {
        var logProbs = scores.LogProbs[tokens];
        var firstNaN = Array.FindIndex(logProbs, float.IsNaN);
        if (firstNaN >= 0)
        {
            throw new NonFiniteLogitsException(item.Id, firstNaN);
        }
        var hasAlternatives = scores.TopTokens.Length > 0;
        return new ScoredResponse(item.Id, row.Selection, response, logProbs)
        {
            Alternatives = hasAlternatives ? scores.TopTokens[tokens] : [],
        };
    }

    PassScores ScorePass(IReadOnlyList<ScoringRow> rows, PrefixSource prompts)
    {
        if (rows.All(row => row.Prompt.Labels.Count == 0))
        {
            return new([], []);
        }
        using var scope = NewDisposeScope();
        using var prefixes = prompts.Rent([.. rows.Select(row => row.Prefix)]);
        using var mode = inference_mode();
        using var batch = new PackedBatch(
            [.. rows.Select(row => row.Prompt)],
            _model.Device,
            prefix: prefixes?.Columns
        );
        using var adapters = _banks.SelectRows([.. rows.Select(row => row.Adapters)]);
        var hidden = _model.Forward(batch.Tokens, adapters); // [labels, hidden]
        var chunkSize = (int)Math.Max(1, LogitsPerChunk / _model.Config.VocabSize);
        var chunks = hidden
            .split(chunkSize)
            .Zip(batch.RowOfLabel.Chunk(chunkSize), (ofChunk, rowsOfChunk) => (ofChunk, rowsOfChunk))
            .ToList();
        Tensor ComputeLogits((Tensor Hidden, int[] Rows) chunk) =>
            _model.ComputeNarrowLogits(chunk.Hidden, adapters, chunk.Rows); // [labels, vocab]
        var labelChunks = batch.Labels.split(chunkSize);
        var chunkLogProbs = chunks.Zip(labelChunks, (chunk, labels) => ComputeLogProbs(ComputeLogits(chunk), labels));
        var logProbs = cat([.. chunkLogProbs]).cpu().data<float>().ToArray();
        TokenLogProb[][] topTokens =
            _options.Alternatives == 0 ? [] : [.. chunks.SelectMany(chunk => ComputeTopTokens(ComputeLogits(chunk)))];
        return new(logProbs, topTokens);
    }

    /// <summary>
    /// Takes the logits <c>[labels, vocab]</c> and disposes of them, so that one chunk at a time is whole.
    /// </summary>
    static Tensor ComputeLogProbs(Tensor chunk, Tensor labels)
    {
        using var narrow = chunk;
        using var scope = NewDisposeScope();
        if (FusedCrossEntropy.Supports(narrow))
        {
            return FusedCrossEntropy.Apply(narrow, labels).neg().MoveToOuterDisposeScope();
        }

        var logits = narrow.to(ScalarType.Float32);
        var labelLogits = logits.gather(1, labels.unsqueeze(1)).squeeze(1); // [labels]
        return (labelLogits - logits.logsumexp(-1)).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The most likely tokens at each position, best first; disposes of the logits <c>[labels, vocab]</c>.
    /// </summary>
    List<TokenLogProb[]> ComputeTopTokens(Tensor chunk)
    {
        using var narrow = chunk;
        using var scope = NewDisposeScope();
        var logits = narrow.to(ScalarType.Float32);
        var count = Math.Min(_options.Alternatives, _model.Config.VocabSize);
        var logProbs = logits - logits.logsumexp(-1, keepdim: true);
        var (topLogProbs, topIds) = logProbs.topk(count); // [labels, count]
        var ids = topIds.cpu().data<long>().ToArray();
        var values = topLogProbs.cpu().data<float>().ToArray();
        return [.. ids.Zip(values, (id, value) => new TokenLogProb((int)id, value)).Chunk(count)];
    }

    void Validate(ScoringItem item)
    {
        if (item.Prompt.Count == 0)
        {
            throw new ArgumentException(
                $"Scoring item '{item.Id}' has an empty prompt; at least one id (the BOS token) is needed."
            );
        }
        var context = _model.Config.MaxPositions;
        if (item.Responses.FirstOrDefault(response => item.Prompt.Count + response.Count > context) is { } tooLong)
        {
            throw new ArgumentException(
                $"Scoring item '{item.Id}' has a prompt of {item.Prompt.Count} and a response of {tooLong.Count} "
                    + $"tokens, but the model's context is {context}; cut the prompt."
            );
        }
        var vocabSize = _model.Config.VocabSize;
        foreach (var id in item.Responses.SelectMany(response => response).Concat(item.Prompt))
        {
            if (id < 0 || id >= vocabSize)
            {
                throw new ArgumentException(
                    $"Scoring item '{item.Id}' has the id {id}, but the model's ids are 0 to {vocabSize - 1}; "
                        + "texts and model need the same tokenizer."
                );
            }
        }
        foreach (var selection in item.Adapters)
        {
            _banks.RequireLoaded(selection, $"Scoring item '{item.Id}'");
        }
    }

    /// <summary>The scores of one pass, label by label.</summary>
    /// <param name="LogProbs">log p of each label.</param>
    /// <param name="TopTokens">The most likely tokens at each label, best first; empty where none are needed.</param>
    readonly record struct PassScores(float[] LogProbs, TokenLogProb[][] TopTokens);
}

/// <summary>Limits of scoring: they change speed and memory, never a result beyond rounding.</summary>
public sealed record ScoringOptions
{
    /// <summary>Most tokens, padding included, in one pass (a longer row is a pass of its own); at least 1.</summary>
    [Range(1, int.MaxValue)]
    public int TokensPerPass
    {
        get;
        init => field = OptionGuard.Check(typeof(ScoringOptions), value);
    } = 4096;

    /// <summary>
    /// Whether the responses of an item may share one row, each attending to the prompt and itself, where that is less
    /// work.
    /// </summary>
    public bool SharePrompts { get; init; } = true;

    /// <summary>
    /// How many of the most likely tokens are returned at each position; 0 returns none. Computing them costs the
    /// logits a second time.
    /// </summary>
    [Range(0, int.MaxValue)]
    public int Alternatives
    {
        get;
        init => field = OptionGuard.Check(typeof(ScoringOptions), value);
    }
}
