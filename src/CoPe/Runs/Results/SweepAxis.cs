using CoPe.Runs.Recipes;

namespace CoPe.Runs.Results;

/// <summary>A key of a recipe and the values it is tried with.</summary>
/// <param name="Key">Dotted key, for example <c>decode.contrast</c>.</param>
/// <param name="Values">Two values or more, as a recipe writes them.</param>
public sealed record SweepAxis(string Key, IReadOnlyList<string> Values)
{
    /// <summary>Reads <c>decode.contrast=0,0.1,0.3</c>.</summary>
    /// <exception cref="RecipeException">It is not of this form.</exception>
    public static SweepAxis Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        if (equals <= 0) throw new RecipeException($"--over {text}: expected key=value,value, for example decode.contrast=0,0.1,0.3");
        var values = text[(equals + 1)..].Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Distinct().ToList();
        return values.Count >= 2 ? new(text[..equals].Trim(), values) : throw new RecipeException($"--over {text}: a sweep needs two values or more, separated by commas");
    }

    /// <summary>The override of a value.</summary>
    public string Override(string value) => $"{Key}={value}";
}
