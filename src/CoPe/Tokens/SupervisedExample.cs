namespace CoPe.Tokens;

/// <summary>A prompt and the answer to learn: the loss counts the answer's tokens (its end-of-turn token included), never the prompt's.</summary>
/// <param name="Id">Where it comes from, for messages and the data order.</param>
/// <param name="Prompt">Ids of the prompt.</param>
/// <param name="Response">Ids of the answer, the end-of-turn token last.</param>
public sealed record SupervisedExample(string Id, IReadOnlyList<int> Prompt, IReadOnlyList<int> Response);
