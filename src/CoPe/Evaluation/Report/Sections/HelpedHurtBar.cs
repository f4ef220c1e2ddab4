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
            {
                markup.Element("i", "", ("class", "up"), ("style", $"width:{Figures.Css(100.0 * helped / all)}%"));
                markup.Element("i", "", ("class", "eq"), ("style", $"width:{Figures.Css(100.0 * equal / all)}%"));
                markup.Element("i", "", ("class", "down"), ("style", $"width:{Figures.Css(100.0 * hurt / all)}%"));
            }
        }
    }
}
