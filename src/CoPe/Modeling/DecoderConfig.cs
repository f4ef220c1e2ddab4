namespace CoPe.Modeling;

/// <summary>What config.json says of a decoder. Families differ by these values alone.</summary>
public sealed record DecoderConfig
{
    /// <summary>Reads <c>config.json</c> (and <c>generation_config.json</c> for the stop ids) of a model folder.</summary>
    public static DecoderConfig Read(string folder) => throw new NotImplementedException();
}
