using CoPe.Kernels.Gemm;
using CoPe.Kernels.Torch;
using static TorchSharp.torch;

namespace CoPe.Modeling;

/// <summary>A linear layer of the decoder, to which each row's adapters may add.</summary>
sealed class Linear(ModelWeights weights, string name)
{
    readonly FrozenLinear _frozen = new(weights, $"{name}.weight", $"{name}.bias");

    /// <summary>
    /// <code>y = x W^T + b + sum over the row's adapters of scaling * (x A^T) B^T</code> for x <c>[rows, seq, in]</c>;
    /// y <c>[rows, seq, out]</c>, owned by the caller.
    /// </summary>
    /// <param name="x">The input.</param>
    /// <param name="pass">The pass.</param>
    /// <param name="columns">The columns that x holds, where they are not all.</param>
    public Tensor Forward(Tensor x, ForwardPass pass, OutputColumns? columns = null)
    {
        using var scope = NewDisposeScope();
        var input = x.contiguous();
        Tensor y;
        using (pass.Profiler?.Enter("projections"))
        {
            y = _frozen.Multiply(input);
        }

        using (pass.Profiler?.Enter("adapters"))
        {
            pass.Adapters?.AddTo(y, input, name, columns);
        }

        return y.MoveToOuterDisposeScope();
    }
}

/// <summary>
/// Linear layers with one input. In some models they are the rows of one weight ("fused"), which adapters then know
/// under one name: it stays one weight, and its output is narrowed.
/// </summary>
/// <param name="weights">The weights.</param>
/// <param name="fusedName">Name of the one layer; null where each is one of its own.</param>
/// <param name="parts">The layers, in the order of the rows.</param>
sealed class JointLinear(ModelWeights weights, string? fusedName, IReadOnlyList<LinearPart> parts)
{
    readonly Linear? _fused = fusedName is null ? null : new Linear(weights, fusedName);
    readonly Linear[] _single = fusedName is null ? [.. parts.Select(part => new Linear(weights, part.Name))] : [];

    /// <summary>Whether the layers are one weight.</summary>
    public bool IsFused => _fused is not null;

    /// <summary>
    /// The outputs of all layers for x <c>[rows, seq, in]</c>, each <c>[rows, seq, width]</c>, contiguous and owned by
    /// the caller.
    /// </summary>
    public Tensor[] Forward(Tensor x, ForwardPass pass, OutputColumns? columns = null)
    {
        if (_fused is null)
        {
            return [.. _single.Select(layer => layer.Forward(x, pass, columns))];
        }

        using var scope = NewDisposeScope();
        var y = _fused.Forward(x, pass, columns);
        var outputs = new Tensor[parts.Count];
        var first = 0L;
        for (var i = 0; i < parts.Count; i++)
        {
            outputs[i] = y.narrow(-1, first, parts[i].Width).contiguous().MoveToOuterDisposeScope();
            first += parts[i].Width;
        }

        return outputs;
    }

    /// <summary>The output of one layer of its own.</summary>
    public Tensor ForwardSingle(int part, Tensor x, ForwardPass pass, OutputColumns? columns = null) =>
        _single[part].Forward(x, pass, columns);
}

/// <summary>One layer of a <see cref="JointLinear"/>.</summary>
/// <param name="Name">Its name where it has a weight of its own.</param>
/// <param name="Width">Width of its output.</param>
sealed record LinearPart(string Name, int Width);

/// <summary>
/// The product with one weight matrix of the model: by the kernel of rounded weights, that for few rows or that for
/// many where they apply, else by torch. Borrows the weights.
/// </summary>
sealed class FrozenLinear(ModelWeights weights, string weightName, string biasName)
{
    readonly QuantizedLinear? _quantized = CreateQuantized(weights, weightName, biasName);
    Bf16Linear _bf16 = new(weights, weightName, biasName);

    /// <summary>
    /// <c>x W^T + b</c> for x <c>[..., in]</c>; <c>[..., out]</c> in the dtype of x, owned by the caller. x must be
    /// contiguous: a product over strided rows is several times slower.
    /// </summary>
    public Tensor Multiply(Tensor x)
    {
        if (_quantized is not null)
        {
            return _quantized.Multiply(x);
        }

        var weight = weights[weightName];
        // Merging an adapter into the model replaces the weight.
        if (!_bf16.Uses(weight))
        {
            _bf16 = new(weights, weightName, biasName);
        }

        return _bf16.TryMultiply(x) ?? MultiplyByTorch(x, weight, weights.Find(biasName));
    }

    static QuantizedLinear? CreateQuantized(ModelWeights weights, string weightName, string biasName)
    {
        var isQuantized = weights.Quantized.TryGetValue(weightName, out var matrix);
        return isQuantized ? new QuantizedLinear(matrix!, weights.Find(biasName)) : null;
    }

    /// <summary>Weights of another dtype than x (float32 leaves of a bf16 pass) are cast for this use.</summary>
    static Tensor MultiplyByTorch(Tensor x, Tensor weight, Tensor? bias)
    {
        if (weight.dtype == x.dtype)
        {
            return MatrixProduct.Multiply(x, weight, bias);
        }

        using var scope = NewDisposeScope();
        return MatrixProduct.Multiply(x, weight.to(x.dtype), bias?.to(x.dtype)).MoveToOuterDisposeScope();
    }
}

/// <summary>The kernels for one bf16 weight matrix of the model.</summary>
sealed class Bf16Linear
{
    readonly Tensor? _weight;
    readonly SkinnyLinear? _skinny;
    readonly AmxLinear? _amx;

    public Bf16Linear(ModelWeights weights, string weightName, string biasName)
    {
        _weight = weights.Find(weightName);
        if (_weight is not null)
        {
            var bias = weights.Find(biasName);
            _skinny = SkinnyLinear.TryCreate(_weight, bias);
            _amx = AmxLinear.TryCreate(_weight, bias);
        }
    }

    /// <summary>Whether they read this very weight.</summary>
    public bool Uses(Tensor weight) => ReferenceEquals(_weight, weight);

    /// <summary><c>x W^T + b</c>, the caller's; null where no kernel applies to x.</summary>
    public Tensor? TryMultiply(Tensor x) =>
        _skinny?.Supports(x) == true ? _skinny.Multiply(x)
        : _amx?.Supports(x) == true ? _amx.Multiply(x)
        : null;
}
