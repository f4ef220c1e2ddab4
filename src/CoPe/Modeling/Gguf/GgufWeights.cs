using CoPe.Gguf;
using CoPe.Kernels.Gemm;
using CoPe.Kernels.Threads;
using CoPe.Kernels.Torch;
using CoPe.Modeling.Safetensors;
using static TorchSharp.torch;

namespace CoPe.Modeling.Gguf;

/// <summary>
/// The tensors of a GGUF file under Hugging Face's names, memory-mapped. Those of a type of our own, whose rows stand
/// as ours do, are views of the file; others are converted piece by piece as they are read.
/// </summary>
sealed unsafe class GgufWeights : IWeightFile
{
    /// <summary>Weights that are converted at a time.</summary>
    const int WeightsPerPiece = 1 << 20;

    readonly GgufArchitecture _architecture;
    readonly DecoderConfig _config;
    readonly MappedFile _mapping;
    readonly Dictionary<string, GgufTensor> _tensors;

    GgufWeights(GgufFile file, GgufArchitecture architecture, DecoderConfig config)
    {
        Path = file.Path;
        _architecture = architecture;
        _config = config;
        _tensors = file
            .Tensors.Where(tensor => tensor.Name != GgufArchitecture.RotaryFactors)
            .ToDictionary(tensor => architecture.ToHuggingFace(tensor.Name) ?? tensor.Name, StringComparer.Ordinal);
        Entries = [.. _tensors.Select(named => CreateEntry(named.Key, named.Value))];
        _mapping = new MappedFile(file.Path);
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    public IReadOnlyList<TensorEntry> Entries { get; }

    /// <summary>Opens a file whose header and configuration are sound.</summary>
    /// <exception cref="ModelFileException">They are not.</exception>
    public static GgufWeights Open(string path)
    {
        var config = DecoderConfig.Read(path);
        try
        {
            var file = GgufFile.Open(path);
            return new GgufWeights(file, GgufConfig.FindArchitecture(file), config);
        }
        catch (GgufException error)
        {
            throw new ModelFileException(path, error.Part, error.Problem, error);
        }
    }

    static TensorEntry CreateEntry(string name, GgufTensor tensor) =>
        new(name, SafetensorsDtype.Of(GetDtype(tensor.Type)), tensor.Shape, tensor.Offset, tensor.Bytes)
        {
            StoredType = tensor.Type.Name,
        };

    /// <summary>What a tensor of a type is read as unless asked for otherwise.</summary>
    static ScalarType GetDtype(GgufType type) =>
        type == GgufType.F32 ? ScalarType.Float32
        : type == GgufType.F16 ? ScalarType.Float16
        : ScalarType.BFloat16;

    /// <summary>Whether most weights of the matrices are float32, so that nothing is lost in nothing less.</summary>
    public static bool IsFloat32(GgufFile file) => Share(file, type => type == GgufType.F32) > 0.5;

    /// <summary>
    /// What most weights of the matrices are best loaded as in memory: <c>q4</c> of 4 bits, <c>int8</c> of 5 to 8;
    /// null where they are numbers of 16 or 32 bits.
    /// </summary>
    /// <exception cref="ModelFileException">The file is missing or damaged.</exception>
    public static QuantizedDtype? FindRounding(string path)
    {
        var file = GgufConfig.OpenFile(path);
        if (Share(file, type => !type.IsFloat) <= 0.5)
        {
            return null;
        }

        return Share(file, type => type.HasFourBitCodes) > 0.5 ? QuantizedDtype.Q4 : QuantizedDtype.Int8;
    }

    /// <summary>Share of the layers' weights that are of such a type.</summary>
    static double Share(GgufFile file, Func<GgufType, bool> isOfType)
    {
        var matrices = file
            .Tensors.Where(t => t.Shape.Count == 2 && t.Name.StartsWith("blk.", StringComparison.Ordinal))
            .Select(t => (t.Type, Weights: (double)t.Shape[0] * t.Shape[1]))
            .ToList();
        return matrices.Where(t => isOfType(t.Type)).Sum(t => t.Weights) / Math.Max(1, matrices.Sum(t => t.Weights));
    }

    /// <summary>
    /// A tensor as <paramref name="dtype"/> (null: as its entry says), owned by the caller; it stays valid after this
    /// object is disposed.
    /// </summary>
    public Tensor Read(string name, ScalarType? dtype = null)
    {
        var tensor = _tensors[name];
        var type = dtype ?? GetDtype(tensor.Type);
        var heads = _architecture.CountPairedHeads(name, _config);
        var isOurs = tensor.Type.IsFloat && GetDtype(tensor.Type) == type;
        return isOurs && heads == 0 && !_architecture.HoldsOne(name)
            ? _mapping.CreateTensor(CreateEntry(name, tensor), type)
            : Convert(tensor, type, heads, _architecture.HoldsOne(name) ? 1 : 0);
    }

    /// <summary>Not of tensors that are converted: their bytes are of no use elsewhere.</summary>
    public Tensor ReadBytes(string name) => Read(name);

    /// <summary>Rows in our order, as another type, less a number.</summary>
    Tensor Convert(GgufTensor tensor, ScalarType dtype, int pairedHeads, float offset)
    {
        using var noGrad = no_grad();
        using var bytes = OpenBytes(tensor);
        var columns = tensor.Shape.Count == 1 && pairedHeads > 0 ? 1 : tensor.Shape[^1];
        var rows = tensor.Shape.Aggregate(1L, (product, size) => product * size) / columns;
        var headDim = pairedHeads > 0 ? rows / pairedHeads : 0;
        var from = (nint)TensorMemory.GetPointer(bytes);
        var rowBytes = (int)(columns / tensor.Type.BlockSize * tensor.Type.BlockBytes);
        var rowsPerPiece = Math.Max(1, WeightsPerPiece / columns);
        var result = empty(rows, columns, dtype: dtype).DetachFromDisposeScope();
        using var piece = empty(Math.Min(rows, rowsPerPiece), columns, dtype: ScalarType.Float32);
        var to = (nint)TensorMemory.GetPointer(piece);
        for (long first = 0; first < rows; first += rowsPerPiece)
        {
            using var scope = NewDisposeScope();
            var (start, count) = (first, (int)Math.Min(rowsPerPiece, rows - first));
            WorkerTeam.Run(
                TorchThreads.KernelThreadCount,
                count,
                row =>
                {
                    var source = headDim > 0 ? GgufArchitecture.PairRow(start + row, headDim) : start + row;
                    GgufBlocks.Dequantize(
                        tensor.Type,
                        new ReadOnlySpan<byte>((byte*)from + source * rowBytes, rowBytes),
                        new Span<float>((float*)to + row * columns, (int)columns)
                    );
                }
            );
            var converted = piece.narrow(0, 0, count);
            result.narrow(0, first, count).copy_(offset == 0 ? converted : converted.sub(Scalars.Of(offset)));
        }

        GC.KeepAlive(bytes);
        using (result)
        {
            return result.view([.. tensor.Shape]).DetachFromDisposeScope();
        }
    }

    Tensor OpenBytes(GgufTensor tensor)
    {
        var dtype = SafetensorsDtype.Of(ScalarType.Byte);
        return _mapping.CreateTensor(
            new TensorEntry(tensor.Name, dtype, [tensor.Bytes], tensor.Offset, tensor.Bytes),
            ScalarType.Byte
        );
    }

    /// <summary>Whether a matrix has codes of 4 bits that <see cref="Pack"/> takes over.</summary>
    public bool HasFourBitCodes(string name) =>
        _tensors.TryGetValue(name, out var tensor) && tensor.Type.HasFourBitCodes;

    /// <summary>
    /// A matrix of 4 bits packed for our kernels, the caller's: the same codes, scales and minima rounded to bf16.
    /// </summary>
    public Q4Weights Pack(string name)
    {
        var tensor = _tensors[name];
        using var bytes = OpenBytes(tensor);
        var (rows, columns) = ((int)tensor.Shape[0], (int)tensor.Shape[1]);
        var heads = _architecture.CountPairedHeads(name, _config);
        var from = (nint)TensorMemory.GetPointer(bytes);
        var type = tensor.Type;
        var rowBytes = (long)columns / type.BlockSize * type.BlockBytes;
        var groupsPerBlock = type.BlockSize / GgufBlocks.GroupSize;
        var packed = Q4Weights.Pack(
            rows,
            columns,
            (row, group, codes) =>
            {
                var source = heads > 0 ? GgufArchitecture.PairRow(row, rows / heads) : row;
                var block = (byte*)from + source * rowBytes + (long)(group / groupsPerBlock) * type.BlockBytes;
                return GgufBlocks.ReadGroup(
                    type,
                    new ReadOnlySpan<byte>(block, type.BlockBytes),
                    group % groupsPerBlock,
                    codes
                );
            },
            name
        );
        GC.KeepAlive(bytes);
        return packed;
    }

    public void Dispose() => _mapping.Dispose();
}
