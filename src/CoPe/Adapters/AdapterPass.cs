using CoPe.Kernels.Fused;
using CoPe.Kernels.Torch;
using CoPe.Modeling;
using static TorchSharp.torch;

namespace CoPe.Adapters;

/// <summary>
/// The adapters of one forward pass: adds each row's low-rank terms to a linear layer's output (Hu et al., 2021,
/// equation 3), where adapters that act on the answer alone act on it.
/// </summary>
sealed class AdapterPass : ILinearTerms
{
    readonly ScalarType _dtype;
    readonly List<Level> _levels = [];

    /// <summary>The levels that act on any column of the batch.</summary>
    public AdapterPass(
        IReadOnlyList<AdapterAssignment> stack,
        TokenBatch batch,
        ScalarType dtype,
        IReadOnlyList<int>? firstColumns = null
    )
    {
        _dtype = dtype;
        var rowCount = (int)batch.Ids.shape[0];
        foreach (var assignment in stack)
        {
            if (assignment.IndexOfRow is not null && assignment.IndexOfRow.Length != rowCount)
            {
                throw new ArgumentException(
                    $"Adapters are assigned to {assignment.IndexOfRow.Length} rows, but the batch has {rowCount}.",
                    nameof(batch)
                );
            }

            if (assignment.IsEmpty)
            {
                continue;
            }

            var active = assignment.ActsEverywhere ? null : new ActiveColumns(assignment, batch, dtype);
            if (active is not { IsEmpty: true })
            {
                var dropout = assignment.CreateDropout(rowCount, firstColumns ?? batch.Prefix?.Lengths);
                _levels.Add(new(assignment, dropout, active));
            }
        }
    }

    /// <summary>
    /// <c>y += scaling * (x A^T) B^T</c> row by row for x <c>[rows, seq, in]</c>, y <c>[rows, seq, out]</c>, if the
    /// layer is adapted.
    /// </summary>
    public void AddTo(Tensor y, Tensor x, string layer, OutputColumns? columns)
    {
        var levels = _levels.FindAll(level => level.Assignment.Bank.IndexOfLayer(layer) >= 0);
        if (levels.Count == 0 || TryAddByKernel(y, x, layer, levels))
        {
            return;
        }

        foreach (var level in levels)
        {
            AddByTorch(y, x, layer, columns, level);
        }
    }

    /// <summary>
    /// <c>y += scaling * B A[:, ids]</c> row by row for ids <c>[rows, seq]</c>, y <c>[rows, seq, hidden]</c>, if the
    /// embedding is adapted; first <c>y = E[ids]</c> where an adapter has an embedding of its own, of several the
    /// uppermost. Ids are not dropped.
    /// </summary>
    public void AdaptEmbedding(Tensor y, Tensor ids)
    {
        const string Layer = WeightLayout.EmbeddingLayer;
        ReplaceRows(Layer, y, (weight, group) => LookUp(weight, ids.narrow(0, group.First, group.Count)));
        foreach (var (assignment, _, _) in _levels.Where(level => level.Assignment.Bank.IndexOfLayer(Layer) >= 0))
        {
            using var scope = NewDisposeScope();
            var (a, b) = assignment.GetFactors(Layer, _dtype); // [groups, r, vocab], [groups, hidden, r]
            var rows = assignment.IndexOfRow is null ? y.shape[0] : assignment.AdaptedRowCount;
            var rowsPerGroup = rows / a.shape[0];
            for (var group = 0L; group < a.shape[0]; group++)
            {
                var first = assignment.FirstAdaptedRow + group * rowsPerGroup;
                var idsOfGroup = ids.narrow(0, first, rowsPerGroup).reshape(-1);
                var inner = a.select(0, group).index_select(1, idsOfGroup).t(); // [tokens, r]
                var target = y.narrow(0, first, rowsPerGroup);
                var delta = inner.matmul(b.select(0, group).t()).view(target.shape);
                target.add_(delta, Scalars.Of(assignment.Bank.GetScaling(Layer)));
            }
        }
    }

    /// <summary>
    /// <c>y = x W^T</c> for hidden states x <c>[rows, hidden]</c> and logits y <c>[rows, vocab]</c> where an adapter
    /// has a head of its own, of several the uppermost.
    /// </summary>
    public void ReplaceLogits(Tensor y, Tensor x) =>
        ReplaceRows(
            WeightLayout.HeadLayer,
            y,
            (weight, group) => MatrixProduct.Multiply(x.narrow(0, group.First, group.Count), weight)
        );

    void ReplaceRows(string layer, Tensor y, Func<Tensor, RowGroup, Tensor> compute)
    {
        foreach (var (assignment, _, _) in _levels.Where(level => level.Assignment.Bank.Saved?.Find(layer) is not null))
        {
            using var scope = NewDisposeScope();
            foreach (var group in assignment.ListGroups(y.shape[0]))
            {
                var bank = assignment.Bank;
                // Rows are looked up in float32: a copy of the whole embedding would be made for few of them.
                var dtype = layer == WeightLayout.EmbeddingLayer ? ScalarType.Float32 : _dtype;
                var weight = bank.Saved!.GetWeight(layer, group.Adapter, dtype, bank.Version);
                y.narrow(0, group.First, group.Count).copy_(compute(weight, group));
            }
        }
    }

    /// <summary><c>[rows, seq, hidden]</c> of ids <c>[rows, seq]</c>.</summary>
    static Tensor LookUp(Tensor embedding, Tensor ids) =>
        embedding.index_select(0, ids.reshape(-1)).view(ids.shape[0], ids.shape[1], -1);

    static bool TryAddByKernel(Tensor y, Tensor x, string layer, List<Level> levels)
    {
        if (!DecodeLora.Supports(x, y))
        {
            return false;
        }

        var terms = new List<DecodeLora.Term>(levels.Count);
        foreach (var (assignment, dropout, active) in levels)
        {
            if (dropout is not null || active is { IsWhole: false } || assignment.CreateTerm(layer) is not { } term)
            {
                return false;
            }

            terms.Add(term);
        }

        DecodeLora.AddTo(y, x, terms);
        return true;
    }

    void AddByTorch(Tensor y, Tensor x, string layer, OutputColumns? columns, Level level)
    {
        using var scope = NewDisposeScope();
        var (assignment, dropout, active) = level;
        var rows = assignment.IndexOfRow is null ? x.shape[0] : assignment.AdaptedRowCount;
        var isWhole = rows == x.shape[0];
        var input = isWhole ? x : x.narrow(0, assignment.FirstAdaptedRow, rows);
        var output = isWhole ? y : y.narrow(0, assignment.FirstAdaptedRow, rows);
        var firstColumn = columns is null && active is not null ? active.First : 0;
        if (firstColumn > 0)
        {
            var length = x.shape[1] - firstColumn;
            input = input.narrow(1, firstColumn, length);
            output = output.narrow(1, firstColumn, length);
        }

        if (dropout is not null)
        {
            input = dropout.Apply(input, layer, columns is null ? firstColumn : null);
        }

        var (a, b) = assignment.GetFactors(layer, _dtype);
        var delta = MultiplyFactors(input, a, b).view(rows, output.shape[1], output.shape[2]);
        if (active?.GetMask(columns) is { } mask)
        {
            delta = delta.mul(mask);
        }

        output.add_(delta, Scalars.Of(assignment.Bank.GetScaling(layer)));
    }

    /// <summary>
    /// <c>(x A^T) B^T</c>, <c>[rows * seq, out]</c> for one group, else <c>[groups, rows / groups * seq, out]</c>.
    /// </summary>
    static Tensor MultiplyFactors(Tensor x, Tensor a, Tensor b)
    {
        var groups = a.shape[0];
        if (groups == 1)
        {
            var inner = MatrixProduct.Multiply(x.reshape(-1, x.shape[2]), a[0]); // [rows * seq, r]
            return MatrixProduct.Multiply(inner, b[0]);
        }

        var innerOfGroups = MatrixProduct.Multiply(x.reshape(groups, -1, x.shape[2]), a);
        return MatrixProduct.Multiply(innerOfGroups, b);
    }

    /// <summary>One level of the stack in this pass.</summary>
    /// <param name="Assignment">The adapter of each row.</param>
    /// <param name="Dropout">Drops inputs of the adapters; null for none.</param>
    /// <param name="Active">The columns that they act on; null for all.</param>
    readonly record struct Level(AdapterAssignment Assignment, LoraDropout? Dropout, ActiveColumns? Active);
}

/// <summary>
/// The columns of a pass on which the adapters of one level act, where some of them act from their invocation tokens
/// on alone. Its tensors belong to the dispose scope in which it is created.
/// </summary>
sealed class ActiveColumns
{
    readonly Tensor? _mask; // [adapted rows, seq - First, 1], 0 or 1; null: all
    readonly Tensor? _outputMask; // the same of the output columns [adapted rows, most, 1]

    public ActiveColumns(AdapterAssignment assignment, TokenBatch batch, ScalarType dtype)
    {
        var (rows, seq) = ((int)batch.Ids.shape[0], (int)batch.Ids.shape[1]);
        var adapters = assignment.ListAdapters(rows);
        var active = FindActive(assignment, adapters, batch);
        bool IsActive(int row, int column) => active[row * seq + column];

        int[] adapted = [.. Enumerable.Range(0, rows).Where(row => adapters[row] >= 0)];
        var firstActive = Enumerable.Range(0, seq).Where(column => adapted.Any(row => IsActive(row, column)));
        First = firstActive.FirstOrDefault(seq);
        IsEmpty = First == seq;
        var isActiveFromFirst = adapted.All(row =>
            Enumerable.Range(First, seq - First).All(column => IsActive(row, column))
        );
        IsWhole = First == 0 && isActiveFromFirst;
        if (IsEmpty || IsWhole)
        {
            return;
        }

        using var scope = NewDisposeScope();
        float[] values = [.. active.Select(isActive => isActive ? 1f : 0f)];
        var mask = tensor(values, [rows, seq, 1], device: batch.Ids.device).to(dtype);
        _outputMask = batch.OutputColumns is null ? null : SelectRows(batch.OutputColumns.Gather(mask));
        _mask = isActiveFromFirst ? null : SelectRows(mask).narrow(1, First, seq - First).MoveToOuterDisposeScope();
        _outputMask?.MoveToOuterDisposeScope();

        Tensor SelectRows(Tensor all) =>
            assignment.IndexOfRow is null ? all : all.narrow(0, assignment.FirstAdaptedRow, assignment.AdaptedRowCount);
    }

    /// <summary>The first column on which any adapter acts.</summary>
    public int First { get; }

    /// <summary>No adapter acts on any column.</summary>
    public bool IsEmpty { get; }

    /// <summary>Every adapter acts on every column.</summary>
    public bool IsWhole { get; }

    /// <summary>
    /// 1 where a row's adapter acts and 0 elsewhere, of the columns from <see cref="First"/> on or of the output
    /// columns; null where they all act.
    /// </summary>
    public Tensor? GetMask(OutputColumns? columns) => columns is null ? _mask : _outputMask;

    /// <summary>Of each row and column <c>[rows * seq]</c> whether the row's adapter acts on it.</summary>
    static bool[] FindActive(AdapterAssignment assignment, IReadOnlyList<int> adapters, TokenBatch batch)
    {
        var seq = (int)batch.Ids.shape[1];
        var active = new bool[adapters.Count * seq];
        var rowsOfTokens = adapters
            .Select((adapter, row) => (Row: row, Adapter: adapter))
            .Where(pair => pair.Adapter >= 0)
            .GroupBy(
                pair => assignment.GetConfig(pair.Adapter).InvocationTokens,
                pair => pair.Row,
                TokensComparer.Instance
            );
        foreach (var rows in rowsOfTokens)
        {
            var invoked = rows.Key is null ? null : batch.FindInvoked(rows.Key);
            foreach (var row in rows)
            {
                for (var column = row * seq; column < (row + 1) * seq; column++)
                {
                    active[column] = invoked is null || invoked[column];
                }
            }
        }

        return active;
    }

    sealed class TokensComparer : IEqualityComparer<IReadOnlyList<int>?>
    {
        public static readonly TokensComparer Instance = new();

        public bool Equals(IReadOnlyList<int>? x, IReadOnlyList<int>? y) =>
            ReferenceEquals(x, y) || (x is not null && y is not null && x.SequenceEqual(y));

        public int GetHashCode(IReadOnlyList<int> tokens) => tokens.Aggregate(0, HashCode.Combine);
    }
}

/// <summary>
/// Dropout on an adapter's inputs while it trains. Each row draws a mask per layer from its seed, whatever other rows
/// are in the pass and however far it is padded.
/// </summary>
/// <param name="bank">The adapters.</param>
/// <param name="rowSeeds">Seed of each adapted row.</param>
/// <param name="firstColumns">Column of its text with which each adapted row begins; null: the first.</param>
sealed class LoraDropout(AdapterBank bank, long[] rowSeeds, int[]? firstColumns)
{
    /// <summary>
    /// <c>x * mask / (1 - p)</c>, mask of 0 with probability p, for the adapted rows x <c>[rows, seq, in]</c>; the
    /// caller's.
    /// </summary>
    /// <param name="x">The inputs.</param>
    /// <param name="layer">Full name of the layer.</param>
    /// <param name="firstColumn">Column of the pass that x begins with; null where x holds output columns.</param>
    public Tensor Apply(Tensor x, string layer, int? firstColumn)
    {
        var layerIndex = (ulong)bank.IndexOfLayer(layer);
        ulong[] seeds =
        [
            .. rowSeeds.Select(
                (seed, row) =>
                    DropoutMask.Skip(
                        unchecked((ulong)seed * 1_000_003 + layerIndex),
                        firstColumn is { } first ? first + (firstColumns?[row] ?? 0) : 0
                    )
            ),
        ];
        using var mask = DropoutMask.Create(seeds, (int)x.shape[1], (int)x.shape[2], bank.Config.Dropout, x);
        return x.mul(mask);
    }
}
