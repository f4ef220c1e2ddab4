using System.Text.RegularExpressions;

namespace CoPe.Experiments.Data;

/// <summary>
/// Whole numbers as tools write them that hold a column with gaps as floating point: <c>1987.0</c> for 1987.
/// </summary>
static partial class WholeNumber
{
    /// <summary>Such a number without its zeros; any other text as it is.</summary>
    public static string Shorten(string text) =>
        Pattern().Match(text) is { Success: true } match ? match.Groups[1].Value : text;

    [GeneratedRegex(@"^([+-]?[0-9]+)\.0+$", RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}
