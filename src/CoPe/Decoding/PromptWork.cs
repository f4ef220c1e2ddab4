namespace CoPe.Decoding;

/// <summary>What the prompts of a batch took.</summary>
/// <param name="Time">Time of all joins.</param>
/// <param name="Computed">Prompt tokens computed, a row's each.</param>
/// <param name="Copied">Prompt tokens copied from rows that begin alike.</param>
readonly record struct PromptWork(TimeSpan Time, long Computed, long Copied);
