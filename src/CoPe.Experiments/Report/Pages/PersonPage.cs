using CoPe.Experiments.Evaluation;

namespace CoPe.Experiments.Report.Pages;

/// <summary>
/// The page for the person whose texts a model learned: what it learned from, what it took up, and texts beside theirs.
/// One file without a script, for screens light and dark, large and small, and for paper.
/// </summary>
static class PersonPage
{
    /// <summary>Writes the page; every text is escaped. The caller owns <paramref name="writer"/>.</summary>
    public static void Write(PersonModel model, TextWriter writer) =>
        HtmlPage.Write(
            writer,
            $"Writing like {model.Person}",
            markup =>
            {
                using (markup.Open("main", ("class", "person")))
                {
                    WriteHead(markup, model);
                    WriteChanges(markup, model);
                    WriteExamples(markup, model);
                    WriteFoot(markup, model);
                }
            },
            hasScript: false
        );

    static void WriteHead(Markup markup, PersonModel model)
    {
        markup.Element("p", "A model of your own", ("class", "kicker"));
        markup.Element("h1", $"Writing like {model.Person}");
        markup.Element("p", $"The model {model.DescribeTexts()}.", ("class", "lead")).Line();
    }

    static void WriteChanges(Markup markup, PersonModel model)
    {
        using var section = markup.Open("section");
        markup.Element("h2", "What it took up from you");
        if (model.Comparison is not { } comparison)
        {
            markup.Element("p", "There is no answer to compare yet.", ("class", "absent"));
            return;
        }

        using (markup.Open("ul"))
        {
            foreach (var sentence in PersonText.Describe(comparison))
            {
                markup.Element("li", sentence).Line();
            }
        }

        using (markup.Open("details"))
        {
            markup.Element("summary", "All that was measured");
            using (markup.Open("div", ("class", "scroll")))
            {
                WriteTraits(markup, comparison);
            }
        }

        markup.Line();
    }

    static void WriteTraits(Markup markup, WritingComparison comparison)
    {
        using var table = markup.Open("table");
        using (markup.Open("tr"))
        {
            foreach (var heading in (string[])["", "your texts", "the model now", "before"])
            {
                markup.Element("th", heading, ("scope", "col"));
            }
        }

        foreach (var trait in comparison.Traits)
        {
            using (markup.Open("tr"))
            {
                markup.Element("th", trait.Name, ("scope", "row"));
                markup.Element("td", PersonText.Number(trait.Own));
                markup.Element("td", PersonText.Number(trait.After));
                markup.Element("td", trait.Before is { } before ? PersonText.Number(before) : "-");
            }

            markup.Line();
        }
    }

    static void WriteExamples(Markup markup, PersonModel model)
    {
        using var section = markup.Open("section");
        markup.Element("h2", "Texts beside your own");
        if (model.Examples.Count == 0)
        {
            markup.Element("p", "No text was held out to answer.", ("class", "absent"));
            return;
        }

        foreach (var example in model.Examples)
        {
            using (markup.Open("article", ("class", "beside")))
            {
                markup.Element("h3", example.Request);
                using (markup.Open("div", ("class", "pair")))
                {
                    WriteText(markup, "You wrote", example.Own, "own");
                    WriteText(markup, "The model writes", example.Answer, "answer");
                }

                if (example.Base is { } text)
                {
                    using (markup.Open("details"))
                    {
                        markup.Element("summary", "What it wrote before it knew you");
                        markup.Element("p", ShowEmpty(text), ("class", "said"));
                    }
                }
            }

            markup.Line();
        }
    }

    static void WriteText(Markup markup, string heading, string text, string kind)
    {
        using (markup.Open("div", ("class", kind)))
        {
            markup.Element("h4", heading);
            markup.Element("p", ShowEmpty(text), ("class", "said"));
        }
    }

    static string ShowEmpty(string text) => string.IsNullOrWhiteSpace(text) ? "(nothing)" : text.Trim();

    static void WriteFoot(Markup markup, PersonModel model)
    {
        using var section = markup.Open("section");
        markup.Element("h2", "How to go on");
        using (markup.Open("p"))
        {
            markup.Text("Ask for more: ");
            markup.Element("code", model.Command);
        }

        markup.Element(
            "p",
            "Texts that are added to the folder are learned when the same command runs again. "
                + $"The model is {model.Model}; the figures for research are in report.html beside this page."
        );
        if (model.Training is { } training)
        {
            markup.Element("p", $"Training: {training}.", ("class", "note"));
        }

        markup.Line();
    }
}
