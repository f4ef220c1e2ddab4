using System.Globalization;

namespace CoPe.Evaluation.Report.Sections;

/// <summary>Predictions token by token, coloured by what the expert adds to the amateur.</summary>
internal sealed class TokensSection : ReportSection
{
    private const int OpenAtFirst = 2;

    /// <inheritdoc/>
    public override string Id => "tokens";

    /// <inheritdoc/>
    public override string Title => "What contrast did, token by token";

    /// <inheritdoc/>
    public override bool HasData(ReportModel model) => model.TokenTraces.Any(trace => trace.Tokens.Count > 0);

    /// <inheritdoc/>
    protected override string Absence => "No prediction was recorded token by token, so there is no token view.";

    /// <inheritdoc/>
    protected override string Lead(ReportModel model) =>
        "Colour is log p(expert) − log p(amateur). " +
        (model.TokenTraces.Any(HasAlternatives)
            ? "A dotted line marks a token where the amateur alone would have written another one, a solid line one where the expert alone would have. "
            : "") +
        "Point at a token or tap it to see both.";

    /// <inheritdoc/>
    protected override void WriteContent(Markup markup, ReportModel model)
    {
        WriteScale(markup);
        var traces = model.TokenTraces.Where(trace => trace.Tokens.Count > 0).ToList();
        foreach (var (trace, index) in traces.Take(model.MaxTokenTraces).Select((trace, index) => (trace, index)))
            WriteTrace(markup, trace, index < OpenAtFirst);
        if (traces.Count > model.MaxTokenTraces)
            markup.Element("p", $"{Figures.Count(model.MaxTokenTraces)} of {Figures.Count(traces.Count)} recorded predictions are shown.", ("class", "note"));
    }

    private static void WriteScale(Markup markup)
    {
        using (markup.Open("p", ("class", "scale")))
        {
            markup.Element("span", "amateur finds it likelier");
            using (markup.Open("span", ("class", "ramp"), ("aria-hidden", "true")))
                for (var level = -4; level <= 4; level++)
                    markup.Element("i", "", ("class", TokenSpan.Style(level)));
            markup.Element("span", "expert finds it likelier");
        }
    }

    private static void WriteTrace(Markup markup, TokenTrace trace, bool open)
    {
        using (open ? markup.Open("details", ("class", "trace"), ("open", "open")) : markup.Open("details", ("class", "trace")))
        {
            using (markup.Open("summary"))
            {
                markup.Text("user ").Element("bdi", trace.User).Text(" · query ").Element("bdi", trace.Query);
                if (trace.Method.Length > 0)
                    markup.Text(" · ").Element("bdi", trace.Method);
                markup.Element("span", Summary(trace), ("class", "dim"));
            }
            if (trace.Input.Length > 0)
                WriteLabelled(markup, "input", MarkupText.Shorten(trace.Input, 360));
            if (trace.Gold.Length > 0)
                WriteLabelled(markup, "gold", MarkupText.Shorten(trace.Gold, 1200));
            using (markup.Open("p", ("class", "tokens"), ("dir", "auto"), ("tabindex", "0")))
                foreach (var token in trace.Tokens)
                    TokenSpan.Write(markup, token);
            markup.Element("p", "", ("class", "tell"), ("aria-live", "polite"), ("dir", "auto"));
        }
        markup.Line();
    }

    private static void WriteLabelled(Markup markup, string label, string text)
    {
        using (markup.Open("div", ("class", "source")))
            markup.Element("span", label, ("class", "tag")).Element("p", text, ("dir", "auto"));
    }

    private static string Summary(TokenTrace trace)
    {
        var finite = trace.Tokens.Where(token => double.IsFinite(token.Difference)).ToList();
        var changed = HasAlternatives(trace) ? $", {Figures.Count(trace.Tokens.Count(token => token.AmateurAlternative is not null))} the amateur would not have written" : "";
        var mean = finite.Count == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $", mean difference {Figures.Signed(finite.Average(token => token.Difference))} nats");
        return $" {Figures.Count(trace.Tokens.Count, "token")}{changed}{mean}";
    }

    private static bool HasAlternatives(TokenTrace trace) =>
        trace.Tokens.Any(token => token.ExpertAlternative is not null || token.AmateurAlternative is not null);
}
