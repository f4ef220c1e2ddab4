using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CoPe.Kernels;

/// <summary>
/// <c>Y = X W^T + b</c> for a few rows X <c>[m, k]</c> and a large frozen W <c>[n, k]</c>, both bf16, b <c>[n]</c> (or null) and sums in float32: the shape of decoding, where time is what it takes to read W.
/// W is read once, in place. Each result is summed in one order, whatever m and the number of threads.
/// </summary>
static unsafe class FewRowsProduct
{
    /// <summary>
    /// Whether m rows of length k are few enough that reading the weights decides: up to 32 where <see cref="PairDots"/> multiplies them or torch has no bf16 product of its own, else, measured against oneDNN's, one or two
    /// always and up to eight of long rows.
    /// </summary>
    public static bool IsFaster(long m, long k) =>
        PairDots.IsSupported || MatrixProduct.Widens(TorchSharp.torch.CPU) ? m is >= 1 and <= 32 : m is 1 or 2 || (m is > 2 and <= 8 && k >= 100 * m);

    /// <summary>Sizes of a product: X <c>[m, k]</c>, W <c>[n, k]</c>, Y <c>[m, n]</c>.</summary>
    public readonly record struct Sizes(int M, int N, int K);

    /// <summary>Where a product's numbers lie.</summary>
    public readonly struct Operands(ushort* x, ushort* weights, float* bias, ushort* y, Sizes sizes)
    {
        public readonly ushort* X = x, Weights = weights, Y = y;
        public readonly float* Bias = bias;
        public readonly Sizes Sizes = sizes;

        public ushort* Row(int n) => Weights + (long)n * Sizes.K;

        public ushort* Column(int m) => X + (long)m * Sizes.K;
    }

    /// <summary>The product by the best instructions of this processor.</summary>
    public static void Multiply(in Operands operands, int threads)
    {
        if (PairDots.IsSupported) MultiplyPairs(operands, threads);
        else if (Vector512.IsHardwareAccelerated) Multiply<Lanes512>(operands, threads);
        else Multiply<Lanes256>(operands, threads);
    }

    /// <summary>The product by <see cref="PairDots"/>.</summary>
    public static void MultiplyPairs(in Operands operands, int threads)
    {
        var (m, k) = (operands.Sizes.M, operands.Sizes.K);
        var whole = k / PairDots.Block * PairDots.Block;
        var buffer = ArrayPool<ushort>.Shared.Rent(m * whole + 32);
        try
        {
            fixed (ushort* unaligned = buffer)
            {
                var columns = Aligned(unaligned);
                for (int c = 0, count; c < m; c += count) PairDots.Pack(operands.Column(c), k, count = CountOf(m - c, PairDots.MostColumns), columns + (long)c * whole);
                var job = operands;
                Share(job, threads, (first, end) => PairRows(job, columns, first, end));
            }
        }
        finally
        {
            ArrayPool<ushort>.Shared.Return(buffer);
        }
    }

    /// <summary>The product by registers of one width.</summary>
    public static void Multiply<T>(in Operands operands, int threads) where T : struct, ILanes<T>
    {
        var (m, k) = (operands.Sizes.M, operands.Sizes.K);
        var buffer = ArrayPool<float>.Shared.Rent(m * k);
        try
        {
            fixed (float* fixedBuffer = buffer)
            {
                var columns = fixedBuffer;
                for (var c = 0; c < m; c++) FourRows<T>.Part(operands.Column(c), columns + (long)c * k, k);
                var job = operands;
                Share(job, threads, (first, end) => Rows<T>(job, columns, first, end));
            }
        }
        finally
        {
            ArrayPool<float>.Shared.Return(buffer);
        }
    }

    static void Share(in Operands operands, int threads, Action<int, int> rows) => WeightRows.Share(operands.Sizes.N, operands.Sizes.K * sizeof(ushort), threads, rows);

    /// <summary>A few columns meet all rows of a piece before the next few do: so many columns stay in the first cache, and the piece in the second.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Rows<T>(in Operands operands, float* columns, int first, int end) where T : struct, ILanes<T>
    {
        var sums = stackalloc float[4 * FourRows<T>.MostColumns];
        var (m, k, whole) = (operands.Sizes.M, operands.Sizes.K, operands.Sizes.K / FourRows<T>.Block * FourRows<T>.Block);
        for (int c = 0, count; c < m; c += count)
        {
            count = CountOf(m - c, FourRows<T>.MostColumns);
            for (var n = first; n < end; n += 4)
            {
                ushort* a = operands.Row(n), b = operands.Row(Math.Min(n + 1, end - 1)), d = operands.Row(Math.Min(n + 2, end - 1)), e = operands.Row(Math.Min(n + 3, end - 1)); // past the end the last row stands in
                FourRows<T>.Multiply(new(a, b, d, e, whole, operands.Row(n + 4)), count, columns + (long)c * k, k, sums);
                for (var i = 0; i < count; i++) Put(operands, Vector128.Load(sums + 4 * i), c + i, n, Math.Min(n + 4, end), whole);
            }
        }
    }

    /// <summary>
    /// Four rows meet all columns before the next four do; those are fetched meanwhile, a share beside each few columns: fetched beside the first few alone, memory would rest while the others
    /// are multiplied. Rows that are fewer than four go one by one.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void PairRows(in Operands operands, ushort* columns, int first, int end)
    {
        var lanes = stackalloc float[4 * PairDots.MostColumns * PairDots.Lanes + 16];
        var (m, k) = (operands.Sizes.M, operands.Sizes.K);
        var lines = (m / PairDots.MostColumns + BitOperations.PopCount((uint)m % PairDots.MostColumns)) switch { 1 => 4, 2 or 3 => 2, _ => 1 }; // by the number of calls
        var work = new PairDots.Work { Steps = k / PairDots.Block, Sums = (float*)Aligned((ushort*)lanes) };
        for (int n = first, step; n < end; n += step)
        {
            step = end - n >= 4 ? 4 : 1;
            work.Weights = operands.Row(n);
            work.Stride = step == 4 ? k * sizeof(ushort) : 0;
            work.Next = operands.Row(n + 4);
            for (int c = 0, count; c < m; c += count)
            {
                count = CountOf(m - c, PairDots.MostColumns);
                work.Columns = columns + (long)c * PairDots.Block * work.Steps;
                PairDots.Multiply(&work, count, lines);
                work.Next += PairDots.Block * lines * work.Steps;
                var sums = PairDots.SumsOf(work, count);
                if (step == 4 && k % PairDots.Block == 0) Put(operands, sums, c, count, n);
                else
                    for (var i = 0; i < count; i++) Put(operands, Vector512.Shuffle(sums, Vector512.Create(4 * i) + Vector512<int>.Indices).GetLower().GetLower(), c + i, n, n + step, PairDots.Block * (int)work.Steps);
            }
        }
    }

    /// <summary>Writes the results <c>[columns, 4 rows]</c> of a few columns, for rows of whole blocks.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Put(in Operands operands, Vector512<float> sums, int column, int columns, int first)
    {
        if (operands.Bias is not null)
        {
            var bias = Vector128.Load(operands.Bias + first);
            sums += Vector512.Create(Vector256.Create(bias, bias), Vector256.Create(bias, bias));
        }
        var rounded = Bf16.Narrowed(sums).AsUInt64();
        var to = operands.Y + (long)column * operands.Sizes.N + first;
        for (var i = 0; i < columns; i++, to += operands.Sizes.N) *(ulong*)to = rounded[i];
    }

    /// <summary>Writes the results of one column and up to four rows: what whole blocks came to, the rest of the length, and the bias.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Put(in Operands operands, Vector128<float> sums, int column, int first, int end, int whole)
    {
        var to = operands.Y + (long)column * operands.Sizes.N + first;
        var bias = operands.Bias is null ? null : operands.Bias + first;
        if (whole == operands.Sizes.K && end - first == 4) Bf16.Store(bias is null ? sums : sums + Vector128.Load(bias), to);
        else
            for (var i = 0; i < end - first; i++)
                to[i] = Bf16.FromSingle(sums[i] + Tail(operands.Row(first + i), operands.Column(column), whole, operands.Sizes.K) + (bias is null ? 0 : bias[i]));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static float Tail(ushort* row, ushort* column, int from, int to)
    {
        var sum = 0f;
        for (var k = from; k < to; k++) sum += Bf16.ToSingle(row[k]) * Bf16.ToSingle(column[k]);
        return sum;
    }

    /// <summary>How many of the columns left to take at once: 1, 2 or 4.</summary>
    static int CountOf(int left, int most)
    {
        while (most > left) most /= 2;
        return most;
    }

    /// <summary>The next address that begins a cache line: a register's load across two lines takes twice as long.</summary>
    static ushort* Aligned(ushort* address) => (ushort*)((nint)address + 63 & ~63);
}
