namespace CoPe.Modeling;

/// <summary>How rotary frequencies are stretched to longer contexts.</summary>
public enum RopeScaling
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>All frequencies divided by the factor.</summary>
    Linear,

    /// <summary>Llama 3.1: low frequencies divided by the factor, high ones kept, those between blended.</summary>
    Llama3,
}
