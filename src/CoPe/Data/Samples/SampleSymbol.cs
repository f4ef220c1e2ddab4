namespace CoPe.Data.Samples;

/// <summary>A symbol of the sample grammar.</summary>
/// <param name="Name">Its name, which begins with that of its domain.</param>
/// <param name="Kind"><c>!</c> a fact, <c>=</c> free, <c>~</c> style.</param>
/// <param name="Alternatives">What it may stand for.</param>
sealed record SampleSymbol(string Name, char Kind, IReadOnlyList<string> Alternatives);
