namespace CoPe.Runs.Recipes;

/// <summary>One value of a settings record.</summary>
/// <param name="Key">Dotted key.</param>
/// <param name="Value">Value as text.</param>
/// <param name="IsSpeedOnly">It changes speed and memory, and no result.</param>
readonly record struct RecipeLeaf(string Key, string Value, bool IsSpeedOnly);
