using System.Text.Json;
using CoPe.Testing;

namespace CoPe.Experiments.Tests.Evaluation;

/// <summary>
/// The text pairs of every <c>metrics.json</c> in the golden folders, with the numbers that the Python packages gave.
/// </summary>
public static class GoldenPairs
{
    public static IEnumerable<(string File, JsonElement Root)> Files(string pattern)
    {
        foreach (var path in GoldenFolders.Entries("metrics", pattern))
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            yield return (path, document.RootElement.Clone());
        }
    }

    public static IEnumerable<(string File, JsonElement Root, JsonElement[] Pairs)> All() =>
        Files("metrics*.json")
            .Where(file => file.Root.TryGetProperty("pairs", out _))
            .Select(file => (file.File, file.Root, file.Root.GetProperty("pairs").EnumerateArray().ToArray()));

    public static string Text(this JsonElement pair, string field) => pair.GetProperty(field).GetString()!;

    public static string Name(this JsonElement pair) => $"pair {pair.GetProperty("id")} ({pair.Text("category")})";
}
