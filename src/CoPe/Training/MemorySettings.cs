namespace CoPe.Training;

/// <summary>What the person at work calls the options that a training's memory depends on, for messages.</summary>
/// <param name="TokensPerPass"><see cref="TrainingOptions.MaxTokensPerPass"/>.</param>
/// <param name="CutOff"><see cref="TrainingOptions.CutOff"/>.</param>
/// <param name="RecomputeLayers"><see cref="TrainingOptions.RecomputeLayers"/>; null where it cannot be set.</param>
internal sealed record MemorySettings(string TokensPerPass, string CutOff, string? RecomputeLayers)
{
    /// <summary>The names in code.</summary>
    public static MemorySettings InCode { get; } = new(nameof(TrainingOptions.MaxTokensPerPass), nameof(TrainingOptions.CutOff), nameof(TrainingOptions.RecomputeLayers));

    /// <summary>The keys of a section of the recipe.</summary>
    public static MemorySettings OfSection(string section) => new($"{section}.tokens_per_pass", $"{section}.cut_off", $"{section}.recompute_layers");
}
