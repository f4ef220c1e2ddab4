using CoPe.Modeling;

namespace CoPe.Adapters;

/// <summary>PEFT's adapter folder: <c>adapter_config.json</c> and <c>adapter_model.safetensors</c>.</summary>
public static class AdapterFile
{
    /// <summary>Reads an adapter for a model, checking names and shapes against it, as a bank of one.</summary>
    public static AdapterBank Read(string folder, DecoderConfig model) => throw new NotImplementedException();

    /// <summary>Writes adapter <paramref name="index"/> of a bank in PEFT's layout, both files aside first and then renamed.</summary>
    public static void Write(string folder, AdapterBank bank, int index, string baseModelName) => throw new NotImplementedException();
}
