using System.Text.Json.Serialization;

namespace CoPe.Experiments.Tests.Data.Building;

/// <summary>A row of a published parquet file whose profile is JSON.</summary>
sealed class TextRow
{
    [JsonPropertyName("id")]
    public string Id { get; set; } = "";

    [JsonPropertyName("input")]
    public string Input { get; set; } = "";

    [JsonPropertyName("profile")]
    public string Profile { get; set; } = "";
}
