using CoPe.Chat;

namespace CoPe.Experiments.Negatives;

/// <summary>Where candidates are drawn elsewhere.</summary>
/// <param name="Name">
/// The options that name address and model, as a person gives them. It is kept with the candidates: those of one name
/// are never mixed with those of another.
/// </param>
/// <param name="Draw">Draws them there.</param>
public sealed record CandidateEndpoint(string Name, CandidateSource Draw);

/// <summary>
/// Draws candidates elsewhere, for example at an endpoint, and returns each item's as soon as they are there. What was
/// returned before an error counts.
/// </summary>
/// <param name="items">The items.</param>
/// <param name="options">How many, and how.</param>
/// <param name="seed">The run's seed.</param>
/// <param name="cancellation">Ends it.</param>
public delegate IEnumerable<CandidateTexts> CandidateSource(
    IReadOnlyList<CandidateRequest> items,
    CandidateOptions options,
    long seed,
    CancellationToken cancellation
);

/// <summary>A history item with its prompt in words as well, for whoever draws candidates elsewhere.</summary>
/// <param name="Item">The item, its prompt in ids.</param>
/// <param name="Messages">The same prompt before the chat template.</param>
public sealed record CandidateRequest(CandidateItem Item, IReadOnlyList<ChatMessage> Messages);

/// <summary>Candidates of one history item as texts.</summary>
/// <param name="UserId">The user.</param>
/// <param name="ItemId">The item.</param>
/// <param name="Texts">Usable texts; fewer than wanted where drawing again did not help.</param>
public sealed record CandidateTexts(string UserId, string ItemId, IReadOnlyList<string> Texts);
