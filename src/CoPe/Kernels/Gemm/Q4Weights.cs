using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using CoPe.Kernels.Torch;
using static TorchSharp.torch;

namespace CoPe.Kernels.Gemm;

/// <summary>A group of a matrix in 4 bits, <c>w = scale q + min</c>.</summary>
/// <param name="row">Its row.</param>
/// <param name="group">Which 32 weights of the row.</param>
/// <param name="codes">Where its 32 codes go, 0 to 15.</param>
delegate (float Scale, float Min) Q4GroupReader(int row, int group, Span<byte> codes);

/// <summary>
/// A frozen weight matrix <c>[n, k]</c> in 4 bits: lossy, 5 bits a weight with scale and min of each 32 weights of a
/// row (<see cref="Q4Group"/>). Packed in panels of 16 rows as <see cref="Q4MicroKernel"/> reads them. A panel's group
/// is 256 bytes of codes, 16 scales and 16 minima in bf16: byte <c>64 i + 4 r + j</c> holds in its low half the code of
/// row r and column <c>4 i + j</c>, in its high half that of column <c>16 + 4 i + j</c>. Both sizes are filled up, rows
/// with scale and min 0.
/// </summary>
sealed unsafe class Q4Weights : QuantizedWeights
{
    /// <summary>Rows of a panel.</summary>
    public const int PanelRows = 16;

    /// <summary>Where a panel's scales begin in a group.</summary>
    public const int ScalesAt = PanelRows * Q4Group.Size / 2;

    /// <summary>Bytes of a panel's group.</summary>
    public const int GroupBytes = ScalesAt + 2 * PanelRows * sizeof(ushort);

    const int QuadBytes = PanelRows * 4;

    readonly Tensor _panels; // [n / 16, k / 32, 320] uint8, n and k rounded up

    Q4Weights(int n, int k)
        : this(zeros(GetShape(n, k), dtype: ScalarType.Byte).DetachFromDisposeScope(), n, k) { }

    /// <summary>Weights that were packed before.</summary>
    /// <param name="panels">The panels, of the shape that <see cref="GetShape"/> says; owned from now on.</param>
    /// <param name="n">Rows.</param>
    /// <param name="k">Inputs.</param>
    public Q4Weights(Tensor panels, int n, int k)
        : base(n, k) => _panels = panels;

    /// <summary>Shape of the panels, of bytes.</summary>
    public static long[] GetShape(int n, int k) => [CountPanels(n), CountGroups(k), GroupBytes];

    /// <summary>The panels; this object owns them.</summary>
    public Tensor Tensor => _panels;

    public override string TypeName => "q4";

    public override int RowMultiple => PanelRows;

    public override long ByteCount => CountBytes(Rows, Inputs);

    public override (nint Start, long Bytes) Packed => ((nint)Panels, ByteCount);

    /// <summary>Bytes of a matrix of so many rows and inputs.</summary>
    public static long CountBytes(int n, int k) => (long)CountPanels(n) * CountGroups(k) * GroupBytes;

    /// <summary>Groups of a row of so many weights.</summary>
    public static int CountGroups(int k) => (k + Q4Group.Size - 1) / Q4Group.Size;

    static int CountPanels(int n) => (n + PanelRows - 1) / PanelRows;

    /// <summary>The first panel, valid while this object is.</summary>
    public byte* Panels => (byte*)TensorMemory.GetPointer(_panels);

    long PanelBytes => (long)CountGroups(Inputs) * GroupBytes;

    /// <summary>Rounds bf16 weights <c>[n, k]</c> on the processor; the caller owns the result.</summary>
    /// <param name="weights">The weights; still the caller's.</param>
    /// <param name="name">What messages call them.</param>
    /// <exception cref="ArgumentException">The weights lie elsewhere, are of another type, or not finite.</exception>
    public static Q4Weights Quantize(Tensor weights, string name)
    {
        CheckSupported(weights, name, "q4");
        var quantized = new Q4Weights((int)weights.shape[0], (int)weights.shape[1]);
        var from = (nint)TensorMemory.GetPointer(weights);
        var succeeded = TryEach(
            CountPanels(quantized.Rows),
            perChunk: 4,
            panel => quantized.TryQuantizePanel((ushort*)from, panel)
        );
        GC.KeepAlive(weights);
        if (!succeeded)
        {
            quantized.Dispose();
            throw NotFinite(name, "q4");
        }

        return quantized;
    }

    /// <summary>Packs groups that are codes already; scales and minima are rounded to bf16.</summary>
    /// <param name="n">Rows.</param>
    /// <param name="k">Inputs, whole groups.</param>
    /// <param name="read">Gives a group of a row.</param>
    /// <param name="name">What messages call the matrix.</param>
    /// <exception cref="ArgumentException">A scale or min is not finite.</exception>
    public static Q4Weights Pack(int n, int k, Q4GroupReader read, string name)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(k % Q4Group.Size, 0, nameof(k));
        var packed = new Q4Weights(n, k);
        if (!TryEach(CountPanels(n), perChunk: 4, panel => packed.TryPackPanel(read, panel)))
        {
            packed.Dispose();
            throw NotFinite(name, "q4");
        }

        return packed;
    }

    bool TryPackPanel(Q4GroupReader read, int panel)
    {
        var codes = stackalloc byte[Q4Group.Size];
        var rows = Math.Min(PanelRows, Rows - panel * PanelRows);
        for (var row = 0; row < rows; row++)
        {
            var to = Panels + panel * PanelBytes;
            for (var group = 0; group < Inputs / Q4Group.Size; group++, to += GroupBytes)
            {
                var (scale, min) = read(panel * PanelRows + row, group, new Span<byte>(codes, Q4Group.Size));
                var fit = (Scale: Bf16.FromSingle(scale), Min: Bf16.FromSingle(min));
                if (!float.IsFinite(Bf16.ToSingle(fit.Scale)) || !float.IsFinite(Bf16.ToSingle(fit.Min)))
                {
                    return false;
                }

                Store(fit, codes, to, row);
            }
        }

        return true;
    }

    /// <summary>False where a weight is not finite.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    bool TryQuantizePanel(ushort* weights, int panel)
    {
        var group = stackalloc float[Q4Group.Size];
        var codes = stackalloc byte[Q4Group.Size];
        var rows = Math.Min(PanelRows, Rows - panel * PanelRows);
        for (var row = 0; row < rows; row++)
        {
            var from = weights + ((long)panel * PanelRows + row) * Inputs;
            var to = Panels + panel * PanelBytes;
            for (var first = 0; first < Inputs; first += Q4Group.Size, to += GroupBytes)
            {
                if (!TryWiden(from + first, Math.Min(Q4Group.Size, Inputs - first), group))
                {
                    return false;
                }

                Store(Q4Group.Search(group, codes), codes, to, row);
            }
        }

        return true;
    }

    /// <summary>A group in float32; one that is cut off is filled up with its first weight.</summary>
    static bool TryWiden(ushort* from, int count, float* group)
    {
        new Span<float>(group, Q4Group.Size).Fill(Bf16.ToSingle(from[0]));
        Bf16.Widen(from, group, count);
        var isFinite = true;
        for (var i = 0; i < count; i++)
        {
            isFinite &= float.IsFinite(group[i]);
        }

        return isFinite;
    }

    static void Store((ushort Scale, ushort Min) fit, byte* codes, byte* group, int row)
    {
        for (var i = 0; i < Q4Group.Size / 2; i++)
        {
            group[i / 4 * QuadBytes + 4 * row + i % 4] = (byte)(codes[i] | codes[i + Q4Group.Size / 2] << 4);
        }

        var scales = (ushort*)(group + ScalesAt);
        (scales[row], scales[PanelRows + row]) = fit;
    }

    public override void Multiply(ushort* x, int m, float* bias, ushort* y, int threads) =>
        Q4Gemm.Multiply(this, x, m, bias, y, threads);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Dequantize(int first, int count, float* to)
    {
        var group = stackalloc float[Q4Group.Size];
        for (var row = first; row < first + count; row++)
        {
            var from = Panels + row / PanelRows * PanelBytes;
            for (var column = 0; column < Inputs; column += Q4Group.Size, from += GroupBytes)
            {
                var target = to + (long)(row - first) * Inputs + column;
                if (Inputs - column >= Q4Group.Size)
                {
                    DequantizeGroup(from, row % PanelRows, target);
                    continue;
                }

                DequantizeGroup(from, row % PanelRows, group);
                new Span<float>(group, Inputs - column).CopyTo(new(target, Inputs - column));
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void DequantizeGroup(byte* group, int row, float* to)
    {
        var scales = (ushort*)(group + ScalesAt);
        var scale = Vector256.Create(Bf16.ToSingle(scales[row]));
        var min = Vector256.Create(Bf16.ToSingle(scales[PanelRows + row]));
        var codes = group + 4 * row;
        var pairs = Vector128
            .Create(
                *(uint*)codes,
                *(uint*)(codes + QuadBytes),
                *(uint*)(codes + 2 * QuadBytes),
                *(uint*)(codes + 3 * QuadBytes)
            )
            .AsByte();
        Store(pairs & Vector128.Create((byte)0x0F), scale, min, to);
        Store(
            Vector128.ShiftRightLogical(pairs.AsUInt16(), 4).AsByte() & Vector128.Create((byte)0x0F),
            scale,
            min,
            to + Q4Group.Size / 2
        );
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Store(Vector128<byte> codes, Vector256<float> scale, Vector256<float> min, float* to)
    {
        var (lower, upper) = Vector128.Widen(codes);
        var (low, high) = Vector256.Widen(Vector256.Create(lower, upper));
        (Vector256.ConvertToSingle(low.AsInt32()) * scale + min).Store(to);
        (Vector256.ConvertToSingle(high.AsInt32()) * scale + min).Store(to + 8);
    }

    public override void Dispose() => _panels.Dispose();
}
