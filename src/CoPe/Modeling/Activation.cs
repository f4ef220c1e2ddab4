namespace CoPe.Modeling;

/// <summary>The gate's nonlinearity in a feed-forward block.</summary>
public enum Activation
{
    /// <summary><c>x * sigmoid(x)</c>.</summary>
    Silu,

    /// <summary>GELU by its tanh approximation (<c>gelu_pytorch_tanh</c>).</summary>
    GeluTanh,
}
