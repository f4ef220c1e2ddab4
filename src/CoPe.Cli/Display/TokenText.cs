namespace CoPe.Cli.Display;

/// <summary>A token as a cell of a table.</summary>
static class TokenText
{
    /// <summary>The token on one line, its spaces visible.</summary>
    /// <param name="token">The token's text.</param>
    /// <param name="mostLetters">Longer ones are cut.</param>
    public static string ToOneLine(string token, int mostLetters = 24)
    {
        var text = string.Concat(
            token.Select(letter =>
                letter switch
                {
                    ' ' => "·",
                    '\n' => "\\n",
                    '\r' => "\\r",
                    '\t' => "\\t",
                    _ when char.IsControl(letter) => "?",
                    _ => letter.ToString(),
                }
            )
        );
        return text.Length <= mostLetters ? text : string.Concat(text.AsSpan(0, mostLetters - 3), "...");
    }
}
