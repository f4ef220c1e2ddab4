namespace CoPe.Experiments.Report.Sections;

/// <summary>Predictions token by token, colored by what the expert adds to the amateur.</summary>
sealed class TokensSection : ReportSection
{
    const int OpenAtFirst = 2;

    public override string Id => "tokens";

    public override string Title => "What contrast did, token by token";

    public override bool HasData(ReportModel model) => model.TokenTraces.Any(trace => trace.Tokens.Count > 0);

    protected override string EmptyMessage => "No prediction was recorded token by token, so there is no token view.";

    protected override string Lead(ReportModel model)
    {
        const string Lines =
            "A dotted line marks a token where the amateur alone would have written another one, "
            + "a solid line one where the expert alone would have. ";
        const string Certain =
            "A line above a token marks a place where the amateur was certain, so that the expert chose alone. ";
        return "Color is log p(expert) − log p(amateur). "
            + (model.TokenTraces.Any(HasAlternatives) ? Lines : "")
            + (model.TokenTraces.Any(trace => trace.Tokens.Any(token => token.WithoutContrast)) ? Certain : "")
            + "Point at a token or tap it to see both.";
    }

    protected override void WriteContent(Markup markup, ReportModel model)
    {
        WriteScale(markup);
        var traces = model.TokenTraces.Where(trace => trace.Tokens.Count > 0).ToList();
        foreach (var (trace, index) in traces.Take(model.MaxTokenTraces).Select((trace, index) => (trace, index)))
        {
            WriteTrace(markup, trace, index < OpenAtFirst);
        }

        if (traces.Count > model.MaxTokenTraces)
        {
            var shown = $"{NumberFormat.Count(model.MaxTokenTraces)} of {NumberFormat.Count(traces.Count)}";
            markup.Element("p", $"{shown} recorded predictions are shown.", ("class", "note"));
        }
    }

    static void WriteScale(Markup markup)
    {
        using (markup.Open("p", ("class", "scale")))
        {
            markup.Element("span", "amateur finds it likelier");
            using (markup.Open("span", ("class", "ramp"), ("aria-hidden", "true")))
            {
                for (var level = -4; level <= 4; level++)
                {
                    markup.Element("i", "", ("class", TokenSpan.Style(level)));
                }
            }

            markup.Element("span", "expert finds it likelier");
        }
    }

    static void WriteTrace(Markup markup, TokenTrace trace, bool open)
    {
        using (
            open
                ? markup.Open("details", ("class", "trace"), ("open", "open"))
                : markup.Open("details", ("class", "trace"))
        )
        {
            using (markup.Open("summary"))
            {
                markup.Text("user ").Element("bdi", trace.User).Text(" · query ").Element("bdi", trace.Query);
                if (trace.Method.Length > 0)
                {
                    markup.Text(" · ").Element("bdi", trace.Method);
                }

                markup.Element("span", Summary(trace), ("class", "dim"));
            }

            if (trace.Input.Length > 0)
            {
                WriteLabeled(markup, "input", MarkupText.Shorten(trace.Input, 360));
            }

            if (trace.Gold.Length > 0)
            {
                WriteLabeled(markup, "gold", MarkupText.Shorten(trace.Gold, 1200));
            }

            using (markup.Open("p", ("class", "tokens"), ("dir", "auto"), ("tabindex", "0")))
            {
                foreach (var token in trace.Tokens)
                {
                    TokenSpan.Write(markup, token);
                }
            }

            markup.Element("p", "", ("class", "tell"), ("aria-live", "polite"), ("dir", "auto"));
        }

        markup.Line();
    }

    static void WriteLabeled(Markup markup, string label, string text)
    {
        using (markup.Open("div", ("class", "source")))
        {
            markup.Element("span", label, ("class", "tag")).Element("p", text, ("dir", "auto"));
        }
    }

    static string Summary(TokenTrace trace)
    {
        var finite = trace.Tokens.Where(token => double.IsFinite(token.Difference)).ToList();
        var summary = " " + NumberFormat.Count(trace.Tokens.Count, "token");
        if (HasAlternatives(trace))
        {
            var changed = trace.Tokens.Count(token => token.AmateurAlternative is not null);
            summary += $", {NumberFormat.Count(changed)} the amateur would not have written";
        }

        var withoutContrast = trace.Tokens.Count(token => token.WithoutContrast);
        if (withoutContrast > 0)
        {
            summary += $", {NumberFormat.Count(withoutContrast)} without contrast";
        }

        if (finite.Count > 0)
        {
            var mean = finite.Average(token => token.Difference);
            summary += $", mean difference {NumberFormat.Signed(mean)} nats";
        }

        return summary;
    }

    static bool HasAlternatives(TokenTrace trace) =>
        trace.Tokens.Any(token => token.ExpertAlternative is not null || token.AmateurAlternative is not null);
}

/// <summary>One token of a token view.</summary>
static class TokenSpan
{
    /// <summary>Difference in nats at which the color is at its strongest.</summary>
    const double Strongest = 3;

    /// <summary>Writes the token with its color, its marks and its hover title.</summary>
    public static void Write(Markup markup, TokenScore token)
    {
        var style =
            Style(Level(token.Difference))
            + (
                token.ExpertAlternative is not null ? " xe"
                : token.AmateurAlternative is not null ? " xa"
                : ""
            )
            + (token.WithoutContrast ? " xc" : "");
        var word = string.IsNullOrWhiteSpace(token.Text) ? token.Text : token.Text.TrimStart(' ');
        markup.Text(token.Text[..^word.Length]);
        var lines = word.ReplaceLineEndings("\n").Split('\n');
        using (markup.Open("span", ("class", style), ("title", Describe(token))))
        {
            for (var index = 0; index < lines.Length; index++)
            {
                if (index > 0)
                {
                    markup.Element("i", "↵", ("class", "nl")).Void("br");
                }

                markup.Text(lines[index]);
            }
        }
    }

    /// <summary>Class of a color level from -4 to 4.</summary>
    public static string Style(int level) =>
        level switch
        {
            < 0 => $"tk n{-level}",
            > 0 => $"tk p{level}",
            _ => "tk",
        };

    /// <summary>Color level of a difference: 0 below an eighth of the strongest, then even steps.</summary>
    public static int Level(double difference) =>
        double.IsNaN(difference)
            ? 0
            : (int)Math.Round(Math.Clamp(difference / Strongest, -1, 1) * 4, MidpointRounding.AwayFromZero);

    static string Describe(TokenScore token)
    {
        var expert = NumberFormat.Value(token.ExpertLogProbability);
        var amateur = NumberFormat.Value(token.AmateurLogProbability);
        var difference = NumberFormat.Signed(token.Difference);
        return $"{Quote(token.Text)}  expert {expert}, amateur {amateur}, difference {difference}"
            + (token.WithoutContrast ? "\nthe amateur was certain: without contrast" : "")
            + DescribeBest("expert", token.ExpertBest)
            + DescribeBest("amateur", token.AmateurBest);
    }

    static string DescribeBest(string model, IReadOnlyList<TokenAlternative> best)
    {
        if (best.Count == 0)
        {
            return "";
        }

        var tokens = best.Select(token =>
            $"{Quote(token.Text)} {NumberFormat.Share(Math.Exp(token.LogProbability), 1)}"
        );
        return $"\n{model} alone: {string.Join(", ", tokens)}";
    }

    static string Quote(string text) => $"“{text.ReplaceLineEndings("↵")}”";
}
