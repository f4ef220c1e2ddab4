namespace CoPe.Modeling;

/// <summary>The gate's nonlinearity in a feed-forward block.</summary>
public enum Activation
{
    /// <summary><c>x * sigmoid(x)</c>.</summary>
    Silu,

    /// <summary>GELU by its tanh approximation (<c>gelu_pytorch_tanh</c>).</summary>
    GeluTanh,

    /// <summary>GELU itself, <c>x * P(X &lt;= x)</c> of a standard normal X.</summary>
    Gelu,

    /// <summary><c>max(x, 0)</c>.</summary>
    Relu,
}

/// <summary>What Hugging Face's files call the nonlinearities.</summary>
static class ActivationNames
{
    static readonly (string Name, Activation Activation)[] All =
    [
        ("silu", Activation.Silu),
        ("swish", Activation.Silu),
        ("gelu_pytorch_tanh", Activation.GeluTanh),
        ("gelu_new", Activation.GeluTanh),
        ("gelu_fast", Activation.GeluTanh),
        ("gelu", Activation.Gelu),
        ("gelu_python", Activation.Gelu),
        ("relu", Activation.Relu),
    ];

    public static string Supported => string.Join(", ", All.Select(pair => pair.Name));

    /// <summary>Null for a name that is not known.</summary>
    public static Activation? Find(string name) =>
        Array.FindIndex(All, pair => pair.Name == name) is >= 0 and var index ? All[index].Activation : null;

    public static string GetName(Activation activation) => All.First(pair => pair.Activation == activation).Name;
}
