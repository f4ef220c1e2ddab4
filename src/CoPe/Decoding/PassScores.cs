namespace CoPe.Decoding;

/// <summary>What one scoring pass came to, token by token.</summary>
/// <param name="LogProbs">log p of each token asked for.</param>
/// <param name="Best">The likeliest tokens at each place, best first; empty where none were asked for.</param>
readonly record struct PassScores(float[] LogProbs, TokenChance[][] Best);
