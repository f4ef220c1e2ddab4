namespace CoPe.Runs.Examples;

/// <summary>A stretch of tokens that the model sees.</summary>
/// <param name="Title">What it is: prompt, answer, chosen, rejected.</param>
/// <param name="Kind">What training does with it.</param>
/// <param name="Tokens">Its tokens in order.</param>
/// <param name="CutTokens">Tokens behind these that do not fit and are not seen.</param>
public sealed record SeenPart(string Title, SeenKind Kind, IReadOnlyList<SeenToken> Tokens, int CutTokens);
