using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using CoPe.Kernels.Torch;
using static TorchSharp.torch;

namespace CoPe.Kernels.Gemm;

/// <summary>
/// A frozen weight matrix <c>[n, k]</c> rounded to int8, one scale per row: lossy, half the bytes of bf16.
/// <c>scale[n] = maxInputs |W[n, k]| / 127, q[n, k] = round(W[n, k] / scale[n])</c>, so that a weight is off by at most
/// half its row's scale. Packed four rows at a time as <see cref="Int8MicroKernel{T}"/> reads them, both sizes filled
/// up with zeros. Owns its memory.
/// </summary>
sealed unsafe class Int8Weights : QuantizedWeights
{
    /// <summary>The largest magnitude of a rounded weight.</summary>
    public const int MaxLevel = 127;

    const int Block = Int8MicroKernel<Int16Vector256>.Block;

    readonly Tensor _values; // [n / 4, k / 32, 4, 32] int8, n and k rounded up
    readonly Tensor _scales; // [n] float32, n rounded up

    Int8Weights(int n, int k)
        : this(
            zeros(GetShape(n, k), dtype: ScalarType.Int8).DetachFromDisposeScope(),
            zeros(GetScaleShape(n), dtype: ScalarType.Float32).DetachFromDisposeScope(),
            n,
            k
        )
    { }

    /// <summary>Weights that were packed before.</summary>
    /// <param name="values">The packed rows, of the shape that <see cref="GetShape"/> says; owned from now on.</param>
    /// <param name="scales">The rows' scales; owned from now on.</param>
    /// <param name="n">Rows.</param>
    /// <param name="k">Inputs.</param>
    public Int8Weights(Tensor values, Tensor scales, int n, int k)
        : base(n, k) => (_values, _scales) = (values, scales);

    /// <summary>Shape of the packed rows, of int8.</summary>
    public static long[] GetShape(int n, int k) => [(n + 3) / 4, GetPackedLength(k) / Block, 4, Block];

    /// <summary>Shape of the scales, of float32.</summary>
    public static long[] GetScaleShape(int n) => [(n + 3) / 4 * 4];

    /// <summary>The packed rows; this object owns them.</summary>
    public Tensor Tensor => _values;

    /// <summary>The rows' scales; this object owns them.</summary>
    public Tensor ScaleTensor => _scales;

    public override string TypeName => "int8";

    public override int RowMultiple => 4;

    public override long ByteCount => CountBytes(Rows, Inputs);

    public override (nint Start, long Bytes) Packed => ((nint)Values, _values.numel());

    /// <summary>Bytes of a matrix of so many rows and inputs.</summary>
    public static long CountBytes(int n, int k) => (n + 3L) / 4 * 4 * (GetPackedLength(k) + sizeof(float));

    /// <summary>The packed rows, valid while this object is.</summary>
    public sbyte* Values => (sbyte*)TensorMemory.GetPointer(_values);

    /// <summary>The rows' scales, valid while this object is.</summary>
    public float* Scales => (float*)TensorMemory.GetPointer(_scales);

    /// <summary>Numbers of a packed row of so many.</summary>
    public static int GetPackedLength(int k) => (k + Block - 1) / Block * Block;

    /// <summary>Rounds bf16 weights <c>[n, k]</c> on the processor; the caller owns the result.</summary>
    /// <param name="weights">The weights; still the caller's.</param>
    /// <param name="name">What messages call them.</param>
    /// <exception cref="ArgumentException">The weights lie elsewhere, are of another type, or not finite.</exception>
    public static Int8Weights Quantize(Tensor weights, string name)
    {
        CheckSupported(weights, name, "int8");
        var quantized = new Int8Weights((int)weights.shape[0], (int)weights.shape[1]);
        var from = (nint)TensorMemory.GetPointer(weights);
        var succeeded = TryEach(
            quantized.Rows,
            perChunk: 16,
            row => quantized.TryQuantizeRow((ushort*)from + (long)row * quantized.Inputs, row)
        );
        GC.KeepAlive(weights);
        if (!succeeded)
        {
            quantized.Dispose();
            throw NotFinite(name, "int8");
        }

        return quantized;
    }

    /// <summary>False where a weight is not finite.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    bool TryQuantizeRow(ushort* row, int n)
    {
        var most = Int16Activations.FindMaxMagnitude(row, Inputs);
        if (!float.IsFinite(most))
        {
            return false;
        }

        var scale = most / MaxLevel;
        var inverse = 1 / scale;
        if (!float.IsFinite(inverse))
        {
            return true; // zeros, or as good as: they stay zeros
        }

        Scales[n] = scale;
        var to = GetRow(n);
        for (var first = 0; first < Inputs; first += Block, to += 4 * Block)
        {
            QuantizeBlock(row + first, to, Math.Min(Block, Inputs - first), inverse);
        }

        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void QuantizeBlock(ushort* from, sbyte* to, int count, float inverse)
    {
        var i = 0;
        for (; i + 8 <= count; i += 8)
        {
            var rounded = Vector256.ConvertToInt32Native(Vector256.Round(Bf16.Widen(from + i) * inverse));
            var words = Vector128.Narrow(rounded.GetLower(), rounded.GetUpper());
            Vector128.Narrow(words, words).GetLower().Store(to + i);
        }

        for (; i < count; i++)
        {
            to[i] = (sbyte)MathF.Round(Bf16.ToSingle(from[i]) * inverse);
        }
    }

    public override void Multiply(ushort* x, int m, float* bias, ushort* y, int threads)
    {
        var operands = new Int8Gemm.Operands((nint)Values, (nint)Scales, (nint)bias, new(m, Rows, Inputs));
        Int8Gemm.Multiply(x, operands, y, threads);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Dequantize(int first, int count, float* to)
    {
        for (var row = first; row < first + count; row++, to += Inputs)
        {
            var from = GetRow(row);
            for (var column = 0; column < Inputs; column += Block, from += 4 * Block)
            {
                DequantizeBlock(from, to + column, Math.Min(Block, Inputs - column), Scales[row]);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void DequantizeBlock(sbyte* from, float* to, int count, float scale)
    {
        var i = 0;
        for (; i + 8 <= count; i += 8)
        {
            var words = Vector128.WidenLower(Vector128.CreateScalar(*(long*)(from + i)).AsSByte());
            var (low, high) = Vector128.Widen(words);
            (Vector256.ConvertToSingle(Vector256.Create(low, high)) * scale).Store(to + i);
        }

        for (; i < count; i++)
        {
            to[i] = from[i] * scale;
        }
    }

    /// <summary>Where a row's first block lies; its next ones are four blocks apart.</summary>
    sbyte* GetRow(int row) => Values + (row / 4 * (long)GetPackedLength(Inputs) * 4) + row % 4 * Block;

    public override void Dispose()
    {
        _values.Dispose();
        _scales.Dispose();
    }
}
