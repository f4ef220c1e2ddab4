using CoPe.Kernels.Torch;
using CoPe.Modeling;
using static TorchSharp.torch;

namespace CoPe.Scoring;

/// <summary>
/// The tensors of one pass over branched prompts, padded on the right to the longest row. Training, reference and
/// scoring passes are all packed here. Owns the tensors.
/// </summary>
sealed class PackedBatch : IDisposable
{
    const int Padding = -1;

    readonly IReadOnlyList<BranchedPrompt> _rows;
    readonly Device _device;
    readonly CachedPrefix? _prefix;
    readonly int _width;

    /// <summary>Packs the rows of a pass.</summary>
    /// <param name="rows">At least one row.</param>
    /// <param name="device">Where the model computes.</param>
    /// <param name="omitFullSelection">
    /// Where every column predicts a label, as in pre-training, asks for all columns instead of selecting each.
    /// </param>
    /// <param name="prefix">
    /// Keys and values of the first columns of each row, which are left out; null for none. Still the caller's.
    /// </param>
    public PackedBatch(
        IReadOnlyList<BranchedPrompt> rows,
        Device device,
        bool omitFullSelection = false,
        CachedPrefix? prefix = null
    )
    {
        _rows = rows;
        _device = device;
        _prefix = prefix;
        _width = rows.Index().Max(row => row.Item.Length - GetFirstColumn(row.Index));
        using var scope = NewDisposeScope();
        Tokens = CreateTokens(omitFullSelection);
        Labels = ToTensor([.. rows.SelectMany(row => row.Labels).Select(label => (long)label)])
            .DetachFromDisposeScope();
        ResponseOfLabel = ToTensor(NumberResponses()).DetachFromDisposeScope();
    }

    /// <summary>
    /// What the model reads; it returns the hidden states that predict labels, in the order of the labels.
    /// </summary>
    public TokenBatch Tokens { get; }

    /// <summary>Labels <c>[labels]</c> int64, row by row.</summary>
    public Tensor Labels { get; }

    /// <summary>
    /// Response of each label <c>[labels]</c> int64; the responses of a pass are numbered row by row.
    /// </summary>
    public Tensor ResponseOfLabel { get; }

    /// <summary>Row of each label.</summary>
    public IReadOnlyList<int> RowOfLabel =>
        [.. _rows.SelectMany((row, index) => Enumerable.Repeat(index, row.Labels.Count))];

    /// <summary>Responses of all rows.</summary>
    public int ResponseCount => _rows.Sum(row => row.ResponseLengths.Count);

    /// <summary>Columns of all rows with those of their prefixes, padding not counted.</summary>
    public long TokenCount => _rows.Sum(row => (long)row.Length);

    public void Dispose()
    {
        Tokens.Dispose();
        Labels.Dispose();
        ResponseOfLabel.Dispose();
    }

    TokenBatch CreateTokens(bool omitFullSelection)
    {
        var ids = ToRows(row => row.Ids, 0);
        var isBranched = _rows.Any(row => row.ResponseLengths.Count > 1);
        if (!isBranched)
        {
            // A mask of dropout counts the columns of the text or those selected: with a prefix, too, the latter.
            var selectsAll = omitFullSelection && _prefix is null && _rows.All(row => row.LabelColumns.Count == _width);
            var positions = _prefix is null ? null : ToRows(row => row.Positions, 0);
            return new TokenBatch(ids, positions, outputColumns: selectsAll ? null : SelectLabelColumns())
            {
                InvocationSearch = FindInvoked,
                Prefix = _prefix,
                TextLengths = TextLengths,
            };
        }
        return new TokenBatch(ids, ToRows(row => row.Positions, 0), CreateMask(), SelectLabelColumns())
        {
            InvocationSearch = FindInvoked,
            Prefix = _prefix,
            TextLengths = TextLengths,
        };
    }

    IReadOnlyList<int> TextLengths => [.. _rows.Select(row => row.TextLength)];

    /// <summary>The first column of a row that the pass computes.</summary>
    int GetFirstColumn(int row) => _prefix?.Lengths[row] ?? 0;

    /// <summary>The columns on which adapters with these invocation tokens act, row by row.</summary>
    bool[] FindInvoked(IReadOnlyList<int> tokens)
    {
        var columns = new bool[_rows.Count * _width];
        foreach (var (index, row) in _rows.Index())
        {
            row.MarkInvoked(tokens, columns.AsSpan(index * _width, _width), GetFirstColumn(index));
        }

        return columns;
    }

    IReadOnlyList<int>[] SelectLabelColumns() =>
        [
            .. _rows.Select(
                IReadOnlyList<int> (row, index) =>
                    [.. row.LabelColumns.Select(column => column - GetFirstColumn(index))]
            ),
        ];

    /// <summary>
    /// Which column each column attends to <c>[rows, width, width]</c> bool: earlier ones of the prompt and of its own
    /// response.
    /// </summary>
    Tensor CreateMask()
    {
        var segments = ToRows(row => row.Segments, Padding); // [rows, width]
        var isSameSegment = segments.unsqueeze(2).eq(segments.unsqueeze(1)); // [rows, width, width]
        var isPrompt = segments.eq(Scalars.Of(0)).unsqueeze(1); // [rows, 1, width]
        var isCausal = ones(_width, _width, ScalarType.Bool, _device).tril(); // [width, width]
        return isSameSegment.logical_or_(isPrompt).logical_and_(isCausal);
    }

    long[] NumberResponses()
    {
        var numbers = new List<long>();
        var response = 0;
        foreach (var length in _rows.SelectMany(row => row.ResponseLengths))
        {
            numbers.AddRange(Enumerable.Repeat((long)response, length));
            response++;
        }
        return [.. numbers];
    }

    /// <summary>A value of each column <c>[rows, width]</c> int64.</summary>
    Tensor ToRows(Func<BranchedPrompt, IReadOnlyList<int>> select, long padding)
    {
        var values = new long[_rows.Count * _width];
        Array.Fill(values, padding);
        for (var row = 0; row < _rows.Count; row++)
        {
            var source = select(_rows[row]);
            var first = GetFirstColumn(row);
            for (var column = first; column < source.Count; column++)
            {
                values[row * _width + column - first] = source[column];
            }
        }
        return tensor(values, [_rows.Count, _width], device: _device);
    }

    Tensor ToTensor(long[] values) => tensor(values, device: _device);
}
