using static TorchSharp.torch;

namespace CoPe.Adapters;

/// <summary>
/// Dropout on an adapter's inputs. Each adapter draws one seed per pass from its own generator and from that a mask per layer, position by position, so that
/// an adapter's masks depend neither on the others in the pass nor on how far rows are padded.
/// </summary>
sealed class LoraDropout
{
    readonly AdapterAssignment assignment;
    readonly double probability;
    readonly List<(ulong Seed, int[] Rows)> adapters = []; // rows counted from the first worn

    LoraDropout(AdapterAssignment assignment, double probability) => (this.assignment, this.probability) = (assignment, probability);

    public static LoraDropout? Begin(AdapterAssignment assignment, int rowCount)
    {
        var probability = assignment.Bank.Config.Dropout;
        if (assignment.Generators is not { } generators || probability == 0) return null;
        var dropout = new LoraDropout(assignment, probability);
        var (first, rows) = assignment.IndexOfRow is null ? (0, rowCount) : (assignment.First, assignment.WornRows);
        foreach (var group in Enumerable.Range(0, rows).GroupBy(row => assignment.AdapterOf(first + row)).Where(g => g.Key >= 0))
        {
            using var seed = randint(0, int.MaxValue, [1], dtype: ScalarType.Int64, generator: generators[group.Key]);
            dropout.adapters.Add(((ulong)seed.item<long>(), [.. group]));
        }
        return dropout;
    }

    /// <summary><c>x * mask / (1 - p)</c>, mask of 0 with probability p, for the worn rows x <c>[rows, seq, in]</c>.</summary>
    public Tensor Apply(Tensor x, string layer)
    {
        using var scope = NewDisposeScope();
        var ordinal = (ulong)assignment.Bank.Ordinal(layer);
        var masks = adapters.Select(adapter => Mask(x, adapter.Rows.Length, unchecked(adapter.Seed * 1_000_003 + ordinal))).ToList();
        if (masks.Count == 1 && adapters[0].Rows.Length == x.shape[0]) return x.mul(masks[0]).MoveToOuterDisposeScope();
        var all = ones_like(x);
        for (var i = 0; i < masks.Count; i++) all.index_copy_(0, tensor(adapters[i].Rows.Select(r => (long)r).ToArray(), device: x.device), masks[i]);
        return x.mul(all).MoveToOuterDisposeScope();
    }

    Tensor Mask(Tensor x, int rows, ulong seed)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(seed, CPU);
        var draws = rand([x.shape[1], rows, x.shape[2]], dtype: ScalarType.Float32, generator: generator); // [seq, rows, in]: a longer row only adds draws at the end
        return draws.ge(probability).to(x.dtype).div_(1 - probability).transpose(0, 1).to(x.device).MoveToOuterDisposeScope();
    }
}
