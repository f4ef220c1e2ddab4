using CoPe.Kernels.Torch;
using static TorchSharp.torch;

namespace CoPe.Modeling;

/// <summary>
/// The tokens of one forward pass. Rows shorter than the longest are padded on the right, which a causal mask never
/// shows to real tokens.
/// </summary>
public sealed class TokenBatch : IDisposable
{
    /// <summary>Takes ownership of the tensors given.</summary>
    /// <param name="ids">Token ids <c>[rows, seq]</c> int64.</param>
    /// <param name="positions">
    /// Rotary positions, which are also the cache columns written, <c>[rows, seq]</c> int64; null counts 0, 1, 2, ...
    /// in every row.
    /// </param>
    /// <param name="visible">
    /// Which column each column may attend to, <c>[rows, seq, seq]</c> or <c>[1, seq, seq]</c> bool; null is causal.
    /// Not allowed together with a cache. Sliding windows are cut from it by position.
    /// </param>
    /// <param name="wanted">
    /// Columns of each row whose hidden states are asked for, <c>[rows][wanted of the row]</c>; null asks for all. Not
    /// allowed together with a cache.
    /// </param>
    public TokenBatch(
        Tensor ids,
        Tensor? positions = null,
        Tensor? visible = null,
        IReadOnlyList<IReadOnlyList<int>>? wanted = null
    )
    {
        if (ids.dim() != 2)
        {
            throw new ArgumentException(
                $"Token ids have shape [{string.Join(", ", ids.shape)}]; expected [rows, seq].",
                nameof(ids)
            );
        }

        if (positions is not null && !positions.shape.SequenceEqual(ids.shape))
        {
            throw new ArgumentException(
                $"Positions have shape [{string.Join(", ", positions.shape)}]; expected [{string.Join(", ", ids.shape)}] as the ids.",
                nameof(positions)
            );
        }

        if (
            visible is not null
            && !(
                visible.dim() == 3
                && visible.shape[0] is var rows
                && (rows == 1 || rows == ids.shape[0])
                && visible.shape[1] == ids.shape[1]
                && visible.shape[2] == ids.shape[1]
            )
        )
        {
            throw new ArgumentException(
                $"Visibility has shape [{string.Join(", ", visible.shape)}]; expected [rows or 1, seq, seq] for ids [{string.Join(", ", ids.shape)}].",
                nameof(visible)
            );
        }

        if (wanted is not null && wanted.Count != ids.shape[0])
        {
            throw new ArgumentException(
                $"Columns are wanted of {wanted.Count} rows; expected {ids.shape[0]}, as the ids have.",
                nameof(wanted)
            );
        }

        OutputColumns = wanted is null ? null : new OutputColumns(wanted, ids.shape[1], ids.device);
        Ids = ids.DetachFromDisposeScope();
        CountsFromZero = positions is null;
        Positions = (
            positions ?? Scalars.Range(0, ids.shape[1], ids.device).unsqueeze(0).expand(ids.shape[0], -1)
        ).DetachFromDisposeScope();
        Visible = visible?.DetachFromDisposeScope();
    }

    /// <summary>
    /// The same with positions that the host knows, row by row, <c>[rows * seq]</c>: to read them back from a GPU would
    /// be to wait for it.
    /// </summary>
    public TokenBatch(Tensor ids, long[] positions)
        : this(ids, CreatePositions(ids, positions)) => HostPositions = positions;

    /// <summary>Token ids <c>[rows, seq]</c> int64.</summary>
    public Tensor Ids { get; }

    /// <summary>Positions <c>[rows, seq]</c> int64.</summary>
    public Tensor Positions { get; }

    /// <summary>Visibility <c>[rows or 1, seq, seq]</c> bool, or null for causal.</summary>
    public Tensor? Visible { get; }

    /// <summary>The columns whose hidden states are asked for, or null for all.</summary>
    internal OutputColumns? OutputColumns { get; }

    /// <summary>Every row has positions 0, 1, 2, ...</summary>
    internal bool CountsFromZero { get; }

    /// <summary>Positions where the host was given them, row by row.</summary>
    internal long[]? HostPositions { get; }

    internal long MinPosition => CountsFromZero ? 0 : HostPositions?.Min() ?? ReadScalar(Positions.min());

    internal long MaxPosition =>
        CountsFromZero ? Ids.shape[1] - 1 : HostPositions?.Max() ?? ReadScalar(Positions.max());

    static Tensor CreatePositions(Tensor ids, long[] positions) =>
        positions.Length == ids.numel()
            ? tensor(positions, ids.shape, device: ids.device)
            : throw new ArgumentException(
                $"There are {positions.Length} positions; expected {ids.numel()}, one for each of the ids [{string.Join(", ", ids.shape)}].",
                nameof(positions)
            );

    static long ReadScalar(Tensor value)
    {
        using (value)
        {
            return value.item<long>();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Ids.Dispose();
        Positions.Dispose();
        Visible?.Dispose();
        OutputColumns?.Dispose();
    }
}

/// <summary>
/// The columns of a pass whose hidden states are asked for, as many in each row as in the row that asks for most: of
/// the last layer, nobody reads more of the others than keys and values, so no more is computed. Where an
/// answer is a seventh of its row, that spares a model of four layers a sixth of the work. Owns its tensors.
/// </summary>
sealed class OutputColumns : IDisposable
{
    readonly Tensor _source; // [rows * most], index among rows * seq
    readonly Tensor? _selected; // [wanted], index among rows * most; null: all
    readonly long _rows;
    readonly long _maxCount;

    /// <summary>
    /// Of the columns of each row, <c>[rows][wanted of the row]</c>, in a pass of <paramref name="seq"/> columns.
    /// </summary>
    /// <exception cref="ArgumentException">Nothing is wanted, or a column that does not exist.</exception>
    public OutputColumns(IReadOnlyList<IReadOnlyList<int>> columns, long seq, Device device)
    {
        (_rows, _maxCount) = (columns.Count, columns.Max(row => row.Count));
        if (_maxCount == 0)
        {
            throw new ArgumentException("No column of the pass is wanted; expected one at least.", nameof(columns));
        }

        foreach (var column in columns.SelectMany(row => row).Where(column => column < 0 || column >= seq))
        {
            throw new ArgumentException(
                $"Column {column} of a pass is wanted; it has the columns 0 to {seq - 1}.",
                nameof(columns)
            );
        }

        _source = CreateIndex(
            columns.SelectMany(
                (row, r) =>
                    row.Concat(Enumerable.Repeat(0, (int)_maxCount - row.Count)).Select(column => r * seq + column)
            ),
            device
        );
        if (columns.Any(row => row.Count < _maxCount))
        {
            _selected = CreateIndex(columns.SelectMany((row, r) => row.Select((_, i) => r * _maxCount + i)), device);
        }
    }

    /// <summary>
    /// Of x <c>[rows, seq, ...]</c> what stands at the wanted columns, <c>[rows, most, ...]</c>; rows that want fewer
    /// are filled with their first column.
    /// </summary>
    public Tensor Gather(Tensor x)
    {
        using var scope = NewDisposeScope();
        return x.flatten(0, 1)
            .index_select(0, _source)
            .view([_rows, _maxCount, .. x.shape[2..]])
            .MoveToOuterDisposeScope();
    }

    /// <summary>What was asked for of y <c>[rows, most, width]</c>, row by row: <c>[wanted, width]</c>.</summary>
    public Tensor Unpad(Tensor y)
    {
        using var scope = NewDisposeScope();
        var flat = y.reshape(-1, y.shape[2]);
        return (_selected is null ? flat : flat.index_select(0, _selected)).MoveToOuterDisposeScope();
    }

    static Tensor CreateIndex(IEnumerable<long> values, Device device) =>
        tensor(values.ToArray(), device: device).DetachFromDisposeScope();

    public void Dispose()
    {
        _source.Dispose();
        _selected?.Dispose();
    }
}
