namespace CoPe.Evaluation.Report.Sections;

/// <summary>How many users were helped and hurt, as two numbers over a bar of their shares.</summary>
internal static class HelpedHurtBar
{
    /// <summary>Writes it; nothing where no user was counted.</summary>
    public static void Write(Markup markup, int helped, int hurt, int equal)
    {
        var all = helped + hurt + equal;
        if (all == 0)
            return;
        using (markup.Open("span", ("class", "hh"), ("title", $"{Figures.Count(helped)} helped, {Figures.Count(equal)} equal, {Figures.Count(hurt)} hurt")))
        {
            using (markup.Open("span", ("class", "hh-n")))
            {
                markup.Element("b", $"{Figures.Count(helped)} helped", ("class", "up"));
                if (equal > 0)
                    markup.Element("span", $"{Figures.Count(equal)} equal");
                markup.Element("b", $"{Figures.Count(hurt)} hurt", ("class", "down"));
            }
            using (markup.Open("span", ("class", "hh-bar"), ("aria-hidden", "true")))
                foreach (var (style, users) in ((string, int)[])[("up", helped), ("eq", equal), ("down", hurt)])
                    if (users > 0)
                        markup.Element("i", "", ("class", style), ("style", $"flex:{Figures.Css(users)}"));
        }
    }
}
