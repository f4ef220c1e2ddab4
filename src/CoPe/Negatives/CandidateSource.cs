namespace CoPe.Negatives;

/// <summary>Draws candidates elsewhere, for example at an endpoint, and returns each item's as soon as they are there. What was returned before an error counts.</summary>
/// <param name="items">The items.</param>
/// <param name="options">How many, and how.</param>
/// <param name="seed">The run's seed.</param>
/// <param name="cancellation">Ends it.</param>
public delegate IEnumerable<DrawnTexts> CandidateSource(IReadOnlyList<WordedItem> items, CandidateOptions options, long seed, CancellationToken cancellation);
