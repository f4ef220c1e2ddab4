using CoPe.Kernels.Torch;
using static TorchSharp.torch;

namespace CoPe.Modeling;

/// <summary>
/// The tokens of one forward pass. Rows shorter than the longest are padded on the right, which a causal mask never
/// shows to real tokens. Owns its tensors.
/// </summary>
public sealed class TokenBatch : IDisposable
{
    /// <summary>A batch over tensors, which it owns from now on.</summary>
    /// <param name="ids">Token ids <c>[rows, seq]</c> int64.</param>
    /// <param name="positions">
    /// Rotary positions, which are also the cache columns written, <c>[rows, seq]</c> int64; null counts 0, 1, 2, ...
    /// in every row.
    /// </param>
    /// <param name="visible">
    /// Which column each column may attend to, <c>[rows, seq, seq]</c> or <c>[1, seq, seq]</c> bool; null is causal.
    /// Not allowed together with a cache. Sliding windows are cut from it by position.
    /// </param>
    /// <param name="outputColumns">
    /// Columns of each row whose hidden states the pass returns, <c>[rows][columns of the row]</c>; null returns all.
    /// Not allowed together with a cache.
    /// </param>
    /// <exception cref="ArgumentException">
    /// A shape is wrong, or an output column does not exist; the tensors are still the caller's.
    /// </exception>
    public TokenBatch(
        Tensor ids,
        Tensor? positions = null,
        Tensor? visible = null,
        IReadOnlyList<IReadOnlyList<int>>? outputColumns = null
    )
    {
        CheckShapes(ids, positions, visible);
        if (outputColumns is not null && outputColumns.Count != ids.shape[0])
        {
            throw new ArgumentException(
                $"Output columns are given for {outputColumns.Count} rows; expected {ids.shape[0]}, as the ids have.",
                nameof(outputColumns)
            );
        }

        OutputColumns = outputColumns is null ? null : new OutputColumns(outputColumns, ids.shape[1], ids.device);
        Ids = ids.DetachFromDisposeScope();
        CountsFromZero = positions is null;
        Positions = (positions ?? CountFromZero(ids)).DetachFromDisposeScope();
        Visible = visible?.DetachFromDisposeScope();
    }

    /// <summary>
    /// The same with positions that the host knows, row by row: reading them back from a GPU would mean waiting for it.
    /// </summary>
    /// <param name="ids">Token ids <c>[rows, seq]</c> int64, owned by the batch from now on.</param>
    /// <param name="positions">Positions <c>[rows * seq]</c>.</param>
    /// <exception cref="ArgumentException">There are more or fewer positions than ids.</exception>
    public TokenBatch(Tensor ids, long[] positions)
    {
        CheckShapes(ids, positions: null, visible: null);
        if (positions.Length != ids.numel())
        {
            throw new ArgumentException(
                $"There are {positions.Length} positions; expected {ids.numel()}, one for each of the ids "
                    + $"{Shape(ids)}.",
                nameof(positions)
            );
        }

        Positions = tensor(positions, ids.shape, device: ids.device).DetachFromDisposeScope();
        Ids = ids.DetachFromDisposeScope();
        HostPositions = positions;
    }

    /// <summary>Token ids <c>[rows, seq]</c> int64.</summary>
    public Tensor Ids { get; }

    /// <summary>Positions <c>[rows, seq]</c> int64.</summary>
    public Tensor Positions { get; }

    /// <summary>Visibility <c>[rows or 1, seq, seq]</c> bool, or null for causal.</summary>
    public Tensor? Visible { get; }

    /// <summary>The columns whose hidden states the pass returns, or null for all.</summary>
    internal OutputColumns? OutputColumns { get; }

    /// <summary>Every row has positions 0, 1, 2, ...</summary>
    internal bool CountsFromZero { get; }

    /// <summary>Positions where the host was given them, row by row.</summary>
    internal long[]? HostPositions { get; }

    /// <summary>
    /// Finds the columns on which adapters with some invocation tokens act, <c>[rows * seq]</c>, where the ids of a row
    /// do not tell: it holds several answers, or is the rest of a longer text. Null searches the ids.
    /// </summary>
    internal Func<IReadOnlyList<int>, bool[]>? InvocationSearch { get; init; }

    /// <summary>
    /// Keys and values of the columns before those of the batch, whose positions continue from them; null for none. Not
    /// allowed together with a cache.
    /// </summary>
    internal CachedPrefix? Prefix { get; init; }

    /// <summary>
    /// How many positions the whole text of each row may come to have, which decides its frequencies where they depend
    /// on it (LongRoPE): keys in a cache must not change as the text grows. Null: one more than the batch's last
    /// position.
    /// </summary>
    internal IReadOnlyList<int>? TextLengths { get; init; }

    internal long MinPosition
    {
        get
        {
            if (CountsFromZero)
            {
                return 0;
            }

            return HostPositions?.Min() ?? ReadScalar(Positions.min());
        }
    }

    internal long MaxPosition
    {
        get
        {
            if (CountsFromZero)
            {
                return Ids.shape[1] - 1;
            }

            return HostPositions?.Max() ?? ReadScalar(Positions.max());
        }
    }

    /// <summary>Positions row by row, read back from the device where the host does not know them.</summary>
    internal long[] ReadPositions()
    {
        if (HostPositions is not null)
        {
            return HostPositions;
        }

        using var flat = Positions.reshape(-1);
        return flat.data<long>().ToArray();
    }

    /// <summary>
    /// The columns on which adapters with these invocation tokens act, row by row <c>[rows * seq]</c>.
    /// </summary>
    internal bool[] FindInvoked(IReadOnlyList<int> tokens)
    {
        if (InvocationSearch is not null)
        {
            return InvocationSearch(tokens);
        }

        using var flat = Ids.cpu().reshape(-1);
        var rows = flat.data<long>().Select(id => (int)id).Chunk((int)Ids.shape[1]);
        return
        [
            .. rows.SelectMany(row =>
            {
                var start = InvocationTokens.FindLast(row, tokens);
                return row.Select((_, column) => column >= start);
            }),
        ];
    }

    static void CheckShapes(Tensor ids, Tensor? positions, Tensor? visible)
    {
        if (ids.dim() != 2)
        {
            throw new ArgumentException($"Token ids have shape {Shape(ids)}; expected [rows, seq].", nameof(ids));
        }

        if (positions is not null && !positions.shape.SequenceEqual(ids.shape))
        {
            throw new ArgumentException(
                $"Positions have shape {Shape(positions)}; expected {Shape(ids)} as the ids.",
                nameof(positions)
            );
        }

        if (visible is not null && !IsVisibility(visible.shape, rows: ids.shape[0], seq: ids.shape[1]))
        {
            throw new ArgumentException(
                $"Visibility has shape {Shape(visible)}; expected [rows or 1, seq, seq] for ids {Shape(ids)}.",
                nameof(visible)
            );
        }
    }

    static bool IsVisibility(long[] shape, long rows, long seq)
    {
        if (shape.Length != 3 || shape[1] != seq || shape[2] != seq)
        {
            return false;
        }

        return shape[0] == rows || shape[0] == 1;
    }

    static string Shape(Tensor tensor) => $"[{string.Join(", ", tensor.shape)}]";

    /// <summary>A view <c>[rows, seq]</c> of 0, 1, 2, ... in every row.</summary>
    static Tensor CountFromZero(Tensor ids)
    {
        using var scope = NewDisposeScope();
        return Scalars
            .Range(0, ids.shape[1], ids.device)
            .unsqueeze(0)
            .expand(ids.shape[0], -1)
            .MoveToOuterDisposeScope();
    }

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
/// The columns whose hidden states a pass returns, padded to as many in each row as the row with most of them has.
/// In the last layer only their queries are computed: of the other columns nothing is read but keys and values. Where
/// an answer is a seventh of its row, this spares a model of four layers a sixth of the work. Owns its tensors.
/// </summary>
sealed class OutputColumns : IDisposable
{
    readonly Tensor _source; // [rows * most], index among rows * seq
    readonly Tensor? _unpadded; // [columns], index among rows * most; null: all
    readonly long _rows;
    readonly long _maxCount;

    /// <summary>Of a pass of <paramref name="seq"/> columns.</summary>
    /// <param name="columns">Columns of each row, <c>[rows][columns of the row]</c>.</param>
    /// <param name="seq">Columns of the pass.</param>
    /// <param name="device">Where the pass computes.</param>
    /// <exception cref="ArgumentException">There is no column, or one that does not exist.</exception>
    public OutputColumns(IReadOnlyList<IReadOnlyList<int>> columns, long seq, Device device)
    {
        _rows = columns.Count;
        _maxCount = columns.Max(row => row.Count);
        if (_maxCount == 0)
        {
            throw new ArgumentException("No output column is given; expected at least one.", nameof(columns));
        }

        foreach (var column in columns.SelectMany(row => row))
        {
            if (column < 0 || column >= seq)
            {
                throw new ArgumentException(
                    $"Output column {column} is not in a pass of columns 0 to {seq - 1}.",
                    nameof(columns)
                );
            }
        }

        List<long> source = [];
        List<long> unpadded = [];
        for (var row = 0; row < columns.Count; row++)
        {
            unpadded.AddRange(Enumerable.Range(0, columns[row].Count).Select(i => row * _maxCount + i));
            source.AddRange(columns[row].Select(column => row * seq + column));
            source.AddRange(Enumerable.Repeat(row * seq, (int)_maxCount - columns[row].Count)); // padding
        }

        _source = CreateIndex(source, device);
        if (unpadded.Count < source.Count)
        {
            _unpadded = CreateIndex(unpadded, device);
        }
    }

    /// <summary>
    /// The output columns of x <c>[rows, seq, ...]</c>, <c>[rows, most, ...]</c>; shorter rows are padded with their
    /// first column. The caller owns the result.
    /// </summary>
    public Tensor Gather(Tensor x)
    {
        using var scope = NewDisposeScope();
        return x.flatten(0, 1)
            .index_select(0, _source)
            .view([_rows, _maxCount, .. x.shape[2..]])
            .MoveToOuterDisposeScope();
    }

    /// <summary>
    /// y <c>[rows, most, width]</c> without its padding, row by row, <c>[columns, width]</c>. The caller owns the
    /// result.
    /// </summary>
    public Tensor Unpad(Tensor y)
    {
        using var scope = NewDisposeScope();
        var flat = y.reshape(-1, y.shape[2]);
        var unpadded = _unpadded is null ? flat : flat.index_select(0, _unpadded);
        return unpadded.MoveToOuterDisposeScope();
    }

    static Tensor CreateIndex(List<long> values, Device device) =>
        tensor(values.ToArray(), device: device).DetachFromDisposeScope();

    public void Dispose()
    {
        _source.Dispose();
        _unpadded?.Dispose();
    }
}
