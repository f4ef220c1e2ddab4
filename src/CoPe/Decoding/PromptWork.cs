namespace CoPe.Decoding;

/// <summary>The prompt tokens of a batch.</summary>
/// <param name="Computed">Prompt tokens computed, a row's each.</param>
/// <param name="Copied">Prompt tokens copied from rows that begin alike.</param>
readonly record struct PromptWork(long Computed, long Copied);
