using static TorchSharp.torch;

namespace CoPe.Modeling.Safetensors;

/// <summary>A tensor to be written, opened only when its turn comes.</summary>
/// <param name="Name">Its name in the file.</param>
/// <param name="Dtype">Its element type in the file.</param>
/// <param name="Shape">Its shape.</param>
/// <param name="Open">Gives the tensor; the writer disposes it.</param>
sealed record TensorSource(string Name, ScalarType Dtype, IReadOnlyList<long> Shape, Func<Tensor> Open)
{
    /// <summary>Bytes in the file.</summary>
    public long Bytes => Shape.Aggregate((long)SafetensorsDtype.BytesOf(Dtype), (product, size) => product * size);
}
