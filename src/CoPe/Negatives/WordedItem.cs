using CoPe.Prompts;

namespace CoPe.Negatives;

/// <summary>A history item with its prompt in words as well, for whoever draws candidates elsewhere.</summary>
/// <param name="Item">The item, its prompt in ids.</param>
/// <param name="Messages">The same prompt before the chat template.</param>
public sealed record WordedItem(CandidateItem Item, IReadOnlyList<ChatMessage> Messages);
