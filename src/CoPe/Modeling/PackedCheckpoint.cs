using CoPe.Kernels.Gemm;
using CoPe.Modeling.Safetensors;
using static TorchSharp.torch;

namespace CoPe.Modeling;

/// <summary>
/// The rounded matrices of a model as a file that is mapped, <c>model.q4.safetensors</c> or
/// <c>model.int8.safetensors</c>: a matrix of 4 bits is the tensor <c>NAME.q4</c>, one of int8 <c>NAME.int8</c> and
/// <c>NAME.int8_scale</c>, packed as the kernels read them.
/// </summary>
static class PackedCheckpoint
{
    const string Q4 = ".q4";
    const string Int8 = ".int8";
    const string Int8Scale = ".int8_scale";

    /// <summary>The file of a type.</summary>
    public static string GetFileName(QuantizedDtype dtype) => $"model.{GetName(dtype)}.safetensors";

    /// <summary>What people call a type.</summary>
    public static string GetName(QuantizedDtype dtype) => dtype == QuantizedDtype.Q4 ? "q4" : "int8";

    /// <summary>The type of a model folder that was written rounded; null for any other.</summary>
    public static QuantizedDtype? Find(string folder) =>
        Enum.GetValues<QuantizedDtype>()
            .Cast<QuantizedDtype?>()
            .FirstOrDefault(dtype => File.Exists(Path.Combine(folder, GetFileName(dtype!.Value))));

    /// <summary>Writes the matrices aside and renames.</summary>
    public static void Write(string path, IReadOnlyDictionary<string, QuantizedWeights> matrices) =>
        SafetensorsWriter.Write(
            path,
            matrices.SelectMany(named => ListTensors(named.Key, named.Value)).ToDictionary(t => t.Name, t => t.Tensor)
        );

    static IEnumerable<(string Name, Tensor Tensor)> ListTensors(string name, QuantizedWeights matrix) =>
        matrix switch
        {
            Q4Weights q4 => [(name + Q4, q4.Tensor)],
            Int8Weights int8 => [(name + Int8, int8.Tensor), (name + Int8Scale, int8.ScaleTensor)],
            _ => throw new ArgumentException($"{matrix.TypeName} weights have no file.", nameof(matrix)),
        };

    /// <summary>The linear layers' and the head's matrices by name, over the mapped file; the caller's.</summary>
    /// <param name="path">The file.</param>
    /// <param name="config">Which matrices are expected.</param>
    /// <param name="dtype">What the linear layers are rounded to.</param>
    /// <exception cref="ModelFileException">The file lacks one, has others, or one of another shape.</exception>
    public static Dictionary<string, QuantizedWeights> Read(string path, DecoderConfig config, QuantizedDtype dtype)
    {
        using var file = SafetensorsFile.Open(path);
        var expected = ListExpected(config, dtype).ToList();
        CheckEntries(file, expected);
        var matrices = new Dictionary<string, QuantizedWeights>(StringComparer.Ordinal);
        try
        {
            foreach (var matrix in expected)
            {
                matrices[matrix.Name] = matrix.Dtype switch
                {
                    QuantizedDtype.Q4 => new Q4Weights(file.Read(matrix.Name + Q4), matrix.Rows, matrix.Inputs),
                    _ => new Int8Weights(
                        file.Read(matrix.Name + Int8),
                        file.Read(matrix.Name + Int8Scale),
                        matrix.Rows,
                        matrix.Inputs
                    ),
                };
            }

            return matrices;
        }
        catch
        {
            foreach (var matrix in matrices.Values)
            {
                matrix.Dispose();
            }

            throw;
        }
    }

    static IEnumerable<PackedMatrix> ListExpected(DecoderConfig config, QuantizedDtype dtype) =>
        WeightLayout
            .ListLinearLayers(config)
            .Select(layer => new PackedMatrix($"{layer.Name}.weight", dtype, layer.Outputs, layer.Inputs))
            .Append(new(WeightLayout.Head, QuantizedDtype.Int8, config.VocabSize, config.HiddenSize));

    static void CheckEntries(SafetensorsFile file, List<PackedMatrix> expected)
    {
        var tensors = expected.SelectMany(matrix => matrix.ListTensors()).ToDictionary(tensor => tensor.Name);
        var unknown = file.Entries.FirstOrDefault(entry => !tensors.ContainsKey(entry.Name));
        if (unknown is not null)
        {
            throw new ModelFileException(file.Path, unknown.Name, "config.json beside it describes no such matrix.");
        }

        var entries = file.Entries.ToDictionary(entry => entry.Name);
        foreach (var (name, dtype, shape) in tensors.Values)
        {
            if (!entries.TryGetValue(name, out var entry))
            {
                throw new ModelFileException(file.Path, name, "this tensor is missing; write the folder again.");
            }

            if (entry.Dtype.ScalarType != dtype || !entry.Shape.SequenceEqual(shape))
            {
                throw new ModelFileException(
                    file.Path,
                    name,
                    $"is {entry.Dtype.Name} [{string.Join(", ", entry.Shape)}]; config.json beside it implies "
                        + $"{SafetensorsDtype.Of(dtype).Name} [{string.Join(", ", shape)}]."
                );
            }
        }
    }

    /// <summary>A matrix that a file has.</summary>
    sealed record PackedMatrix(string Name, QuantizedDtype Dtype, int Rows, int Inputs)
    {
        /// <summary>The tensors that hold it.</summary>
        public IEnumerable<(string Name, ScalarType Dtype, long[] Shape)> ListTensors() =>
            Dtype == QuantizedDtype.Q4
                ? [(Name + Q4, ScalarType.Byte, Q4Weights.GetShape(Rows, Inputs))]
                :
                [
                    (Name + Int8, ScalarType.Int8, Int8Weights.GetShape(Rows, Inputs)),
                    (Name + Int8Scale, ScalarType.Float32, Int8Weights.GetScaleShape(Rows)),
                ];
    }
}
