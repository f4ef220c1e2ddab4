namespace CoPe.Evaluation;

/// <summary>A prediction beside its gold.</summary>
/// <param name="Gold">What it is held against.</param>
/// <param name="Output">What the method wrote.</param>
/// <param name="Own">The user's own texts; null where he has none.</param>
sealed record ScoredAnswer(GoldAnswer Gold, string Output, Lazy<OwnTexts>? Own);
