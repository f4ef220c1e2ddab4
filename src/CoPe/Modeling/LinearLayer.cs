namespace CoPe.Modeling;

/// <summary>A linear layer of a decoder, as adapters see it.</summary>
/// <param name="Name">Full name, for example <c>model.layers.0.self_attn.q_proj</c>.</param>
/// <param name="Inputs">Width of its input.</param>
/// <param name="Outputs">Width of its output.</param>
/// <param name="HasBias">Whether it adds a bias.</param>
public sealed record LinearLayer(string Name, int Inputs, int Outputs, bool HasBias)
{
    /// <summary>Last part of the name, for example <c>q_proj</c>.</summary>
    public string ShortName => Name[(Name.LastIndexOf('.') + 1)..];
}
