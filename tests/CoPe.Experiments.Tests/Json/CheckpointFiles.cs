using System.Security.Cryptography;
using CoPe.Modeling.Safetensors;

namespace CoPe.Experiments.Tests.Json;

/// <summary>Checkpoints whose hash is right whatever their state says.</summary>
static class CheckpointFiles
{
    public static void WriteWithValidHash(string stateFile, byte[] state)
    {
        var folder = Path.GetDirectoryName(stateFile)!;
        var arrays = new byte[2 * sizeof(float)];
        File.WriteAllBytes(stateFile, state);
        File.WriteAllBytes(Path.Combine(folder, "arrays.bin"), arrays);
        File.WriteAllText(
            Path.Combine(folder, "complete"),
            Convert.ToHexString(SHA256.HashData([.. state, .. arrays]))
        );
    }
}

/// <summary>Reads the header of a model's weights.</summary>
static class SafetensorsHeaders
{
    public static void Read(string folder) => SafetensorsHeader.Read(Path.Combine(folder, "model.safetensors"));
}
