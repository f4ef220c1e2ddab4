using static TorchSharp.torch;

namespace CoPe.Modeling.Safetensors;

/// <summary>Where one tensor lies in a safetensors file.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Dtype">Its element type.</param>
/// <param name="Shape">Its shape.</param>
/// <param name="Offset">First byte, counted from the start of the file.</param>
/// <param name="Bytes">Number of bytes.</param>
public sealed record TensorEntry(string Name, ScalarType Dtype, IReadOnlyList<long> Shape, long Offset, long Bytes);
