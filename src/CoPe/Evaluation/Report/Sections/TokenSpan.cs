namespace CoPe.Evaluation.Report.Sections;

/// <summary>One token of a token view.</summary>
internal static class TokenSpan
{
    /// <summary>Difference in nats at which the colour is at its strongest.</summary>
    private const double Strongest = 3;

    /// <summary>Writes the token with its colour, its marks and its hover title.</summary>
    public static void Write(Markup markup, TokenScore token)
    {
        var style = Style(Level(token.Difference)) + (token.ExpertAlternative is not null ? " xe" : token.AmateurAlternative is not null ? " xa" : "");
        var word = string.IsNullOrWhiteSpace(token.Text) ? token.Text : token.Text.TrimStart(' ');
        markup.Text(token.Text[..^word.Length]);
        var lines = word.ReplaceLineEndings("\n").Split('\n');
        using (markup.Open("span", ("class", style), ("title", Describe(token))))
            for (var index = 0; index < lines.Length; index++)
            {
                if (index > 0)
                    markup.Element("i", "↵", ("class", "nl")).Void("br");
                markup.Text(lines[index]);
            }
    }

    /// <summary>Class of a colour level from -4 to 4.</summary>
    public static string Style(int level) => level switch { < 0 => $"tk n{-level}", > 0 => $"tk p{level}", _ => "tk" };

    /// <summary>Colour level of a difference: 0 below an eighth of the strongest, then even steps.</summary>
    public static int Level(double difference) =>
        double.IsNaN(difference) ? 0 : (int)Math.Round(Math.Clamp(difference / Strongest, -1, 1) * 4, MidpointRounding.AwayFromZero);

    private static string Describe(TokenScore token)
    {
        var text = $"“{token.Text.ReplaceLineEndings("↵")}”  expert {Figures.Value(token.ExpertLogProbability)}, amateur {Figures.Value(token.AmateurLogProbability)}, " +
            $"difference {Figures.Signed(token.Difference)}";
        return text + Best("expert", token.ExpertBest) + Best("amateur", token.AmateurBest);
    }

    private static string Best(string who, IReadOnlyList<TokenAlternative> best) => best.Count == 0 ? ""
        : $"\n{who} alone: {string.Join(", ", best.Select(one => $"“{one.Text.ReplaceLineEndings("↵")}” {Figures.Share(Math.Exp(one.LogProbability), 1)}"))}";
}
