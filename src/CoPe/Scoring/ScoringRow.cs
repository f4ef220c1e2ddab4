using CoPe.Adapters;

namespace CoPe.Scoring;

/// <summary>
/// One row of a scoring pass: <c>[prompt | response 1 | response 2 | ...]</c>, where each response sees the prompt and
/// itself and its positions go on from the prompt's end. The last
/// token of a response predicts nothing that is asked for, so it is not fed. Column t of the row's
/// <see cref="Predictors"/> gives the logits of <see cref="Targets"/>[t].
/// </summary>
sealed class ScoringRow
{
    readonly List<long> _ids;
    readonly List<long> _positions;
    readonly List<long> _segments;

    public ScoringRow(int item, int policy, ScoringItem source, IReadOnlyList<int> responses)
    {
        (Item, Policy, Responses, Adapters) = (item, policy, responses, source.Adapters[policy]);
        _ids = [.. source.Prompt.Select(id => (long)id)];
        _positions = [.. Enumerable.Range(0, _ids.Count).Select(i => (long)i)];
        _segments = [.. Enumerable.Repeat(0L, _ids.Count)];
        for (var i = 0; i < responses.Count; i++)
        {
            Add(source.Responses[responses[i]], i + 1, source.Prompt.Count);
        }
    }

    public int Item { get; }

    public int Policy { get; }

    /// <summary>Indices of the item's responses, in row order.</summary>
    public IReadOnlyList<int> Responses { get; }

    public AdapterSelection Adapters { get; }

    public int Length => _ids.Count;

    public List<int> Predictors { get; } = [];

    public List<long> Targets { get; } = [];

    public IEnumerable<long> Ids(int length) => _ids.Concat(Enumerable.Repeat(0L, length - Length));

    public IEnumerable<long> Positions(int length) => _positions.Concat(Enumerable.Repeat(0L, length - Length));

    /// <summary>0 in the prompt, i in response i, -1 in padding.</summary>
    public IEnumerable<long> Segments(int length) => _segments.Concat(Enumerable.Repeat(-1L, length - Length));

    /// <summary>
    /// The rows of an item: per policy one for all responses, or one for each, whichever is less work at
    /// <paramref name="hidden"/> units a layer.
    /// </summary>
    public static IEnumerable<ScoringRow> CreateRows(int index, ScoringItem item, int hidden, bool sharePrompts)
    {
        // A layer costs about 12 hidden^2 per token in its linears and 2 hidden * length per token in attention.
        double Cost(double length) => length * (6.0 * hidden + length);
        var lengths = item.Responses.Select(response => item.Prompt.Count + response.Count);
        var together = Cost(item.Prompt.Count + item.Responses.Sum(response => response.Count));
        var share = sharePrompts && together < lengths.Sum(length => Cost(length));
        var all = Enumerable.Range(0, item.Responses.Count).ToList();
        for (var policy = 0; policy < item.Adapters.Count; policy++)
        {
            if (share)
            {
                yield return new ScoringRow(index, policy, item, all);
            }
            else
            {
                foreach (var response in all)
                {
                    yield return new ScoringRow(index, policy, item, [response]);
                }
            }
        }
    }

    void Add(IReadOnlyList<int> response, int segment, int promptLength)
    {
        for (var t = 0; t < response.Count; t++)
        {
            Predictors.Add(t == 0 ? promptLength - 1 : Length - 1);
            Targets.Add(response[t]);
            if (t == response.Count - 1)
            {
                return;
            }

            _ids.Add(response[t]);
            _positions.Add(promptLength + t);
            _segments.Add(segment);
        }
    }
}
