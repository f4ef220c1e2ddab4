using static TorchSharp.torch;

namespace CoPe.Modeling;

/// <summary>
/// The columns of a pass whose hidden states are asked for, as many in each row as in the row that asks for most: of the last layer, nobody reads more of the others than keys and values, so no more is computed. Where an
/// answer is a seventh of its row, that spares a model of four layers a sixth of the work. Owns its tensors.
/// </summary>
sealed class WantedColumns : IDisposable
{
    readonly Tensor source;    // [rows * most], index among rows * seq
    readonly Tensor? selected; // [wanted], index among rows * most; null: all
    readonly long rows;
    readonly long most;

    /// <summary>Of the columns of each row, <c>[rows][wanted of the row]</c>, in a pass of <paramref name="seq"/> columns.</summary>
    /// <exception cref="ArgumentException">Nothing is wanted, or a column that does not exist.</exception>
    public WantedColumns(IReadOnlyList<IReadOnlyList<int>> columns, long seq, Device device)
    {
        (rows, most) = (columns.Count, columns.Max(row => row.Count));
        if (most == 0) throw new ArgumentException("No column of the pass is wanted; expected one at least.", nameof(columns));
        foreach (var column in columns.SelectMany(row => row).Where(column => column < 0 || column >= seq))
            throw new ArgumentException($"Column {column} of a pass is wanted; it has the columns 0 to {seq - 1}.", nameof(columns));
        source = Kept(columns.SelectMany((row, r) => row.Concat(Enumerable.Repeat(0, (int)most - row.Count)).Select(column => r * seq + column)), device);
        if (columns.Any(row => row.Count < most)) selected = Kept(columns.SelectMany((row, r) => row.Select((_, i) => r * most + i)), device);
    }

    /// <summary>Of x <c>[rows, seq, ...]</c> what stands at the wanted columns, <c>[rows, most, ...]</c>; rows that want fewer are filled with their first column.</summary>
    public Tensor Of(Tensor x)
    {
        using var scope = NewDisposeScope();
        return x.flatten(0, 1).index_select(0, source).view([rows, most, .. x.shape[2..]]).MoveToOuterDisposeScope();
    }

    /// <summary>What was asked for of y <c>[rows, most, width]</c>, row by row: <c>[wanted, width]</c>.</summary>
    public Tensor Select(Tensor y)
    {
        using var scope = NewDisposeScope();
        var flat = y.reshape(-1, y.shape[2]);
        return (selected is null ? flat : flat.index_select(0, selected)).MoveToOuterDisposeScope();
    }

    static Tensor Kept(IEnumerable<long> values, Device device) => tensor(values.ToArray(), device: device).DetachFromDisposeScope();

    public void Dispose()
    {
        source.Dispose();
        selected?.Dispose();
    }
}
