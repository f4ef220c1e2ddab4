namespace CoPe.Decoding;

/// <summary>A token that could stand at some place.</summary>
/// <param name="Id">The token.</param>
/// <param name="LogProb">log p of it given all before it.</param>
public readonly record struct TokenChance(int Id, float LogProb);
