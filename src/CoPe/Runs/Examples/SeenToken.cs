namespace CoPe.Runs.Examples;

/// <summary>A token as the model sees it.</summary>
/// <param name="Id">Its number.</param>
/// <param name="Text">Its text; the tokenizer's spelling where it is a part of a character only.</param>
public readonly record struct SeenToken(int Id, string Text);
