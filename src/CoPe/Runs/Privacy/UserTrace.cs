namespace CoPe.Runs.Privacy;

/// <summary>Something of a user in a run.</summary>
/// <param name="Path">File or folder, within the run.</param>
/// <param name="What">What it is.</param>
/// <param name="Count">Lines, entries or files of his.</param>
public sealed record UserTrace(string Path, string What, int Count);
