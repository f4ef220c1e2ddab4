using CoPe.Kernels;
using static TorchSharp.torch;

namespace CoPe.Adapters;

/// <summary>The adapters of one forward pass: adds each row's low-rank terms to a linear layer's output (Hu et al., 2021, equation 3).</summary>
sealed class AdapterPass
{
    readonly ScalarType dtype;
    readonly List<(AdapterAssignment Assignment, LoraDropout? Dropout)> worn = [];

    public AdapterPass(AdapterRows rows, int rowCount, ScalarType dtype)
    {
        this.dtype = dtype;
        foreach (var assignment in rows.Stack)
        {
            if (assignment.IndexOfRow is { } index && index.Length != rowCount)
                throw new ArgumentException($"Adapters are assigned to {index.Length} rows, but the batch has {rowCount}.", nameof(rows));
            if (!assignment.IsEmpty) worn.Add((assignment, assignment.Dropout(rowCount)));
        }
    }

    /// <summary><c>y += scaling * (x A^T) B^T</c> row by row for x <c>[rows, seq, in]</c>, y <c>[rows, seq, out]</c>, if the layer is adapted.</summary>
    public void AddTo(Tensor y, Tensor x, string layer)
    {
        var adapted = worn.FindAll(part => part.Assignment.Bank.Ordinal(layer) >= 0);
        if (adapted.Count == 0) return;
        if (StepAdapters.Applies(x, y) && adapted.TrueForAll(part => part.Dropout is null && part.Assignment.Bank.Pairs[layer].InPlace is not null))
        {
            StepAdapters.AddTo(y, x, adapted.ConvertAll(part => new StepAdapters.Term(part.Assignment.Bank.Pairs[layer].InPlace!, part.Assignment.AdapterOf, part.Assignment.Bank.Config.Scaling)));
            return;
        }
        foreach (var (assignment, dropout) in adapted)
        {
            using var scope = NewDisposeScope();
            var (first, rows) = assignment.IndexOfRow is null ? (0, x.shape[0]) : (assignment.First, assignment.WornRows);
            var all = rows == x.shape[0];
            var input = all ? x : x.narrow(0, first, rows);
            if (dropout is not null) input = dropout.Apply(input, layer);
            var (a, b) = assignment.Factors(layer, dtype);
            var delta = Product(input, a, b).view(rows, y.shape[1], y.shape[2]);
            (all ? y : y.narrow(0, first, rows)).add_(delta, Scalars.Of(assignment.Bank.Config.Scaling));
        }
    }

    static Tensor Product(Tensor x, Tensor a, Tensor b)
    {
        var groups = a.shape[0];
        if (groups == 1) return MatrixProduct.Of(MatrixProduct.Of(x.reshape(-1, x.shape[2]), a[0]), b[0]); // [rows * seq, out]
        return MatrixProduct.Of(MatrixProduct.Of(x.reshape(groups, -1, x.shape[2]), a), b); // [groups, rows / groups * seq, out]
    }
}
