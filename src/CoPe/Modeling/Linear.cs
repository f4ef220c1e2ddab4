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
/// The product with one weight matrix of the model: by the int8 or the skinny kernel where they apply, else by torch.
/// Borrows the weights.
/// </summary>
sealed class FrozenLinear(ModelWeights weights, string weightName, string biasName)
{
    readonly Int8Linear? _int8 = CreateInt8(weights, weightName, biasName);
    SkinnyLinear? _skinny = CreateSkinny(weights, weightName, biasName);

    /// <summary>
    /// <c>x W^T + b</c> for x <c>[..., in]</c>; <c>[..., out]</c> in the dtype of x, owned by the caller. x must be
    /// contiguous: a product over strided rows is several times slower.
    /// </summary>
    public Tensor Multiply(Tensor x)
    {
        if (_int8 is not null)
        {
            return _int8.Multiply(x);
        }

        var weight = weights[weightName];
        if (_skinny is null || !_skinny.Supports(x))
        {
            return MultiplyByTorch(x, weight, weights.Find(biasName));
        }

        // Merging an adapter into the model replaces the weight.
        if (!_skinny.Uses(weight))
        {
            _skinny = CreateSkinny(weights, weightName, biasName);
        }

        return _skinny!.Multiply(x);
    }

    static Int8Linear? CreateInt8(ModelWeights weights, string weightName, string biasName)
    {
        var isInt8 = weights.Int8Matrices.TryGetValue(weightName, out var matrix);
        return isInt8 ? new Int8Linear(matrix!, weights.Find(biasName)) : null;
    }

    static SkinnyLinear? CreateSkinny(ModelWeights weights, string weightName, string biasName)
    {
        var weight = weights.Find(weightName);
        return weight is null ? null : SkinnyLinear.TryCreate(weight, weights.Find(biasName));
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
