namespace CoPe.Negatives;

/// <summary>A text that some user wrote, as a rejected answer for another.</summary>
/// <param name="UserId">Who wrote it.</param>
/// <param name="Input">What it answers: the item's input, by which similar ones are found.</param>
/// <param name="Text">The text.</param>
public sealed record OtherText(string UserId, string Input, string Text);
