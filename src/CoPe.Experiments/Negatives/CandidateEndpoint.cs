using CoPe.Chat;

namespace CoPe.Experiments.Negatives;

/// <summary>A service that draws candidates in the place of the run's own model.</summary>
/// <param name="Name">
/// The options that name address and model, as a person gives them. It is stored with the candidates: those of one
/// endpoint are never mixed with those of another.
/// </param>
/// <param name="Draw">Draws them there.</param>
public sealed record CandidateEndpoint(string Name, CandidateSource Draw);

/// <summary>
/// Draws candidates, for example at an endpoint, and returns each item's as soon as they are complete. What was
/// returned before an error is kept.
/// </summary>
/// <param name="items">The items.</param>
/// <param name="options">How many, and how.</param>
/// <param name="seed">The run's seed.</param>
/// <param name="cancellation">Cancels the work.</param>
public delegate IEnumerable<CandidateTexts> CandidateSource(
    IReadOnlyList<CandidateRequest> items,
    NegativesOptions options,
    long seed,
    CancellationToken cancellation
);

/// <summary>A history item with its prompt as messages too, for a service that tokenizes by itself.</summary>
/// <param name="Item">The item, its prompt in ids.</param>
/// <param name="Messages">The same prompt before the chat template.</param>
/// <param name="StopTokenIds">Ids after which an answer is over.</param>
public sealed record CandidateRequest(
    CandidateItem Item,
    IReadOnlyList<ChatMessage> Messages,
    IReadOnlyList<int> StopTokenIds
);

/// <summary>Candidates of one history item as texts.</summary>
/// <param name="UserId">The user.</param>
/// <param name="ItemId">The item.</param>
/// <param name="Texts">Usable texts; fewer than wanted where drawing again did not help.</param>
public sealed record CandidateTexts(string UserId, string ItemId, IReadOnlyList<string> Texts);
