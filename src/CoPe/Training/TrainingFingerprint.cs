using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;

namespace CoPe.Training;

/// <summary>Hashes of what a training is made of, so that a checkpoint is never continued by another one.</summary>
internal static class TrainingFingerprint
{
    public static IReadOnlyDictionary<string, string> Of(LoopSetup setup)
    {
        var parts = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["stage"] = setup.Run.Stage,
            ["options"] = Hash(JsonSerializer.SerializeToUtf8Bytes(WithoutSpeed(setup.Run.Options))),
            ["initial weights"] = HashWeights(setup),
        };
        for (var user = 0; user < setup.Names.Count; user++)
        {
            parts[$"data of {setup.Names[user]}"] = HashRows(setup.Seeds[user], setup.Rows[user]);
            if (setup.DevelopmentRows is { } development) parts[$"development data of {setup.Names[user]}"] = HashRows(0, development[user]);
        }
        foreach (var (name, hash) in setup.Fingerprint) parts[name] = hash;
        return parts;
    }

    /// <summary>The options that a result depends on: a training that ran out of memory may go on in smaller passes.</summary>
    static TrainingOptions WithoutSpeed(TrainingOptions options) => options with { MaxTokensPerPass = 1, Workers = null, RecomputeLayers = false };

    /// <summary>Hash of bytes, as hexadecimal digits.</summary>
    public static string Hash(ReadOnlySpan<byte> bytes) => Convert.ToHexString(SHA256.HashData(bytes))[..32];

    static string HashWeights(LoopSetup setup)
    {
        using var onCpu = setup.Weights.Values.cpu();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var flat = onCpu.reshape(-1);
        const long Most = 1 << 24;
        for (long from = 0; from < flat.numel(); from += Most)
        {
            using var slice = flat.narrow(0, from, Math.Min(Most, flat.numel() - from));
            hash.AppendData(MemoryMarshal.AsBytes(slice.data<float>().ToArray().AsSpan()));
        }

        return Convert.ToHexString(hash.GetHashAndReset())[..32];
    }

    static string HashRows(long seed, TrainingRow[] rows)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(BitConverter.GetBytes(seed));
        foreach (var row in rows)
        {
            hash.AppendData(MemoryMarshal.AsBytes<int>([row.Ids.Length, row.FirstLabels, row.BranchFrom, row.BranchAt]));
            hash.AppendData(MemoryMarshal.AsBytes(row.Ids.AsSpan()));
            hash.AppendData(MemoryMarshal.AsBytes(row.Labels.AsSpan()));
        }
        return Convert.ToHexString(hash.GetHashAndReset())[..32];
    }
}
