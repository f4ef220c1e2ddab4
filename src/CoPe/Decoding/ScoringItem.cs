namespace CoPe.Decoding;

/// <summary>Responses to one prompt, to be scored under one or several sets of adapters.</summary>
/// <param name="Id">Where it comes from, for messages and results.</param>
/// <param name="Prompt">Ids of the prompt, at least one.</param>
/// <param name="Responses">Ids of each response, the end-of-turn token last; an empty one has no log-probabilities.</param>
/// <param name="Policies">The adapters to score under, for example the user's and the task's.</param>
public sealed record ScoringItem(string Id, IReadOnlyList<int> Prompt, IReadOnlyList<IReadOnlyList<int>> Responses, IReadOnlyList<WornAdapters> Policies);
