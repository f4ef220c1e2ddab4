using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using CoPe.Experiments.Report;
using CoPe.Experiments.Report.Pages;

namespace CoPe.Experiments.Tests.Report;

public class HtmlReportTests
{
    static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    static readonly ReportModel Bare = new() { Title = "nothing" };

    [Fact]
    public void A_full_report_is_well_formed_and_has_every_section()
    {
        var page = Parse(Render(SampleReport.Create(users: 12)));
        var sections = page.Descendants()
            .Where(element => element.Name.LocalName == "section")
            .Select(element => element.Attribute("id")!.Value);
        Assert.Equal(
            ["results", "significance", "users", "preference", "training", "tokens", "examples", "record"],
            sections
        );
        Assert.DoesNotContain("class=\"absent\"", page.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_token_view_marks_where_contrast_was_left_out_and_explains_the_mark()
    {
        var model = SampleReport.Create(users: 3);
        var expected = model.TokenTraces.Sum(trace => trace.Tokens.Count(token => token.WithoutContrast));
        var tokens = Parse(Render(model)).Descendants().Single(element => element.Attribute("id")?.Value == "tokens");
        var marked = tokens
            .Descendants()
            .Where(element => element.Attribute("class")?.Value.Split(' ').Contains("xc") == true)
            .ToList();
        Assert.Equal(expected, marked.Count);
        Assert.InRange(expected, 1, model.TokenTraces.Sum(trace => trace.Tokens.Count) - 1);
        Assert.All(marked, token => Assert.Contains("without contrast", token.Attribute("title")!.Value));
        Assert.Contains("A line above a token", tokens.Value, StringComparison.Ordinal);
        var without = model with { TokenTraces = [.. model.TokenTraces.Select(Unmark)] };
        Assert.DoesNotContain("A line above a token", Render(without), StringComparison.Ordinal);

        static TokenTrace Unmark(TokenTrace trace) =>
            trace with
            {
                Tokens = [.. trace.Tokens.Select(token => token with { WithoutContrast = false })],
            };
    }

    [Fact]
    public void Every_drawing_has_a_title_a_description_and_finite_coordinates()
    {
        var drawings = Parse(Render(SampleReport.Create(users: 12)))
            .Descendants(Svg + "svg")
            .Where(drawing => drawing.Attribute("aria-hidden") is null)
            .ToList();
        Assert.True(drawings.Count >= 15, $"{drawings.Count} drawings");
        foreach (var drawing in drawings)
        {
            var ids = drawing.Attribute("aria-labelledby")!.Value.Split(' ');
            Assert.Equal(ids, drawing.Elements().Take(2).Select(element => element.Attribute("id")!.Value));
            Assert.All(drawing.Elements().Take(2), element => Assert.NotEmpty(element.Value));
            Assert.DoesNotMatch("NaN|∞|Infinity", drawing.ToString());
        }
    }

    [Fact]
    public void Ids_are_unique()
    {
        var ids = Parse(Render(SampleReport.Create(users: 12)))
            .Descendants()
            .Attributes("id")
            .Select(id => id.Value)
            .ToList();
        Assert.Equal(ids.Distinct().Count(), ids.Count);
    }

    [Fact]
    public void An_empty_model_says_in_a_sentence_what_each_section_lacks()
    {
        var page = Parse(Render(Bare));
        var sections = page.Descendants().Where(element => element.Name.LocalName == "section").ToList();
        Assert.All(
            sections,
            section =>
            {
                Assert.Equal(["h2", "p"], section.Elements().Select(element => element.Name.LocalName));
                Assert.Equal("absent", section.Elements().Last().Attribute("class")!.Value);
                Assert.EndsWith(".", section.Value, StringComparison.Ordinal);
            }
        );
        Assert.Empty(page.Descendants(Svg + "svg"));
    }

    [Fact]
    public void The_same_model_gives_the_same_bytes_in_every_culture()
    {
        var before = CultureInfo.CurrentCulture;
        var expected = Render(SampleReport.Create(users: 5));
        try
        {
            foreach (var culture in (string[])["de-DE", "ar-SA", "tr-TR"])
            {
                CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo(culture);
                Assert.Equal(expected, Render(SampleReport.Create(users: 5)));
            }
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
        Assert.DoesNotContain('\r', expected);
    }

    [Fact]
    public void What_preference_training_did_stands_beside_the_rewards()
    {
        var page = Parse(Render(SampleReport.Create(users: 3)));
        Assert.Contains(
            page.Descendants(),
            element =>
                element.Name.LocalName == "p"
                && element.Value
                    == "Preference training moved the adapters by 1.2 % of their size (median of 12 users). Of the 96 "
                        + "pairs of the first steps, 80 were ranked right before it and 85 after it. The mean "
                        + "log-probability of the users' own texts went from −21.50 to −22.75 nats. The mean "
                        + "log-probability of the rejected ones went from −30.25 to −41.50 nats."
        );
    }

    [Fact]
    public void Nothing_is_loaded_from_anywhere()
    {
        var page = Render(SampleReport.Create(users: 3));
        Assert.DoesNotMatch(@"(src|href)=""(?!#)", page);
        Assert.DoesNotMatch(@"@import|url\(|fetch\(|XMLHttpRequest|<link", page);
        Assert.All(
            Regex.Matches(page, @"https?://[^""]+"),
            match => Assert.StartsWith("http://www.w3.org/", match.Value, StringComparison.Ordinal)
        );
    }

    [Fact]
    public void Nothing_runs_but_the_script_and_style_of_the_page()
    {
        var page = Parse(Render(SampleReport.Create(users: 3)));

        var elements = page.Descendants().ToList();
        var policy = elements.Single(element => (string?)element.Attribute("http-equiv") == "Content-Security-Policy");
        var style = elements.Single(element => element.Name.LocalName == "style");
        Assert.Equal(
            $"default-src 'none'; script-src {Hash("script")}; style-src {Hash("style")}; base-uri 'none'; "
                + "form-action 'none'",
            policy.Attribute("content")?.Value
        );
        Assert.True(elements.IndexOf(policy) < elements.IndexOf(style), "what stands before it is not covered");
        Assert.Empty(page.Descendants().Attributes("style"));
        Assert.DoesNotContain(
            page.Descendants().Attributes(),
            attribute => attribute.Name.LocalName.StartsWith("on", StringComparison.OrdinalIgnoreCase)
        );
    }

    /// <summary>Of what a browser reads between the tags.</summary>
    static string Hash(string tag)
    {
        var text = Regex.Match(Render(SampleReport.Create(users: 3)), $"<{tag}>(.*?)</{tag}>", RegexOptions.Singleline);
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(text.Groups[1].Value));
        return $"'sha256-{Convert.ToBase64String(hash)}'";
    }

    [Fact]
    public void Markup_in_any_text_stays_text()
    {
        const string Attack = "<script>alert(1)</script>\" onload='x' & ]]> </style>";
        var page = Parse(Render(HostileReport.Create(Attack)));
        Assert.Single(page.Descendants(), element => element.Name.LocalName == "script");
        Assert.Single(page.Descendants(), element => element.Name.LocalName == "style");
        Assert.Empty(page.Descendants().Attributes("onload"));
        Assert.Contains(page.Descendants(), element => element.Name.LocalName == "p" && element.Value == Attack);
    }

    [Theory]
    [InlineData("👩‍👩‍👧‍👦 café 🙂")]
    [InlineData("מאמר על רשתות")]
    [InlineData("lone \uD83D and \u0000 control \u001B and \uFFFE")]
    [InlineData("")]
    [InlineData("  \n\t ")]
    public void Any_text_gives_a_well_formed_page(string text) => Parse(Render(HostileReport.Create(text)));

    [Fact]
    public void Users_texts_carry_their_own_direction()
    {
        var page = Parse(Render(HostileReport.Create("מאמר")));
        var texts = page.Descendants()
            .Where(element => element.Attribute("class")?.Value is "text" or "tokens")
            .ToList();
        Assert.NotEmpty(texts);
        Assert.All(texts, text => Assert.Equal("auto", text.Attribute("dir")!.Value));
    }

    [Fact]
    public void An_empty_prediction_is_named()
    {
        var example = new ReportExample
        {
            User = "1",
            Query = "2",
            Input = "in",
            Gold = "gold",
            Outputs = [new ExampleOutput { Method = "TAM", Text = "" }],
        };
        Assert.Contains("(empty)", Render(Bare with { Examples = [example] }), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(1000, 1)]
    public void Any_number_of_users_can_be_drawn(int users, int queries)
    {
        var page = Parse(Render(SampleReport.Create(users, queries)));
        Assert.NotEmpty(page.Descendants(Svg + "svg"));
    }

    [Fact]
    public void Thousands_of_examples_are_capped_and_the_page_says_so()
    {
        var page = Render(SampleReport.Create(users: 400, queriesPerUser: 25));
        Assert.Contains("300 of 10,000 queries, shared out evenly over 400 users.", page, StringComparison.Ordinal);
        Assert.Equal(300, Regex.Count(page, "<article "));
        Assert.InRange(page.Length, 1, 3_000_000);
    }

    [Fact]
    public void Of_ten_thousand_users_the_page_names_those_at_either_end_and_stays_readable()
    {
        var model = SampleReport.Create(users: 10_000, queriesPerUser: 1);
        var headline = model.Results.Metrics.Single(metric => metric.Name == model.HeadlineMetric);
        var gains = UserGains.Compute(model, model.Comparisons[0], headline).Sorted;

        var page = Render(model);

        var notes = Parse(page).Descendants().Where(element => element.Name.LocalName == "p");
        var note = notes.First(element => element.Value.StartsWith("Most gained", StringComparison.Ordinal));
        var names = note.Elements().Select(user => user.Value);
        Assert.Equal([.. gains.Take(5).Concat(gains.TakeLast(5).Reverse()).Select(user => user.User)], names);
        Assert.InRange(page.Length, 1, 10_000_000);
    }

    [Fact]
    public void Values_that_are_not_finite_are_dashes_or_left_out()
    {
        var model = SampleReport.Create(users: 3);
        var page = Render(
            model with
            {
                Results = model.Results with
                {
                    Cells =
                    [
                        .. model.Results.Cells.Select(cell =>
                            cell with
                            {
                                Mean = double.NaN,
                                StandardError = double.NaN,
                            }
                        ),
                    ],
                },
                UserScores = [.. model.UserScores.Select(score => score with { Value = double.NaN })],
                Rewards = [new RewardPair(double.NaN, 1)],
                Curves =
                [
                    new TrainingCurve
                    {
                        Stage = "TAM",
                        Quantity = "loss",
                        Points = [new CurvePoint(1, double.PositiveInfinity)],
                    },
                ],
            }
        );
        Parse(page);
        Assert.DoesNotContain("NaN", page[page.IndexOf("<body", StringComparison.Ordinal)..], StringComparison.Ordinal);
    }

    [Fact]
    public void Two_scores_of_one_user_are_an_error_that_names_the_user()
    {
        var model = SampleReport.Create(users: 2);
        var error = Assert.Throws<ArgumentException>(() =>
            Render(model with { UserScores = [.. model.UserScores, .. model.UserScores] })
        );
        Assert.Contains(
            "User '1000' has two scores of method 'CoPe' in metric 'ROUGE-L'",
            error.Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Where_no_user_differs_that_is_said_and_not_drawn()
    {
        var model = SampleReport.Create(users: 5);
        var page = Render(
            model with
            {
                UserScores = [.. model.UserScores.Select(score => score with { Value = 0.5 })],
            }
        );
        Assert.Contains("Every user has the same score under both.", page, StringComparison.Ordinal);
        Assert.DoesNotContain("against history length</title>", page, StringComparison.Ordinal);
    }

    [Fact]
    public void A_metric_that_only_describes_has_no_best_and_no_gains()
    {
        var page = Parse(Render(SampleReport.Create(users: 3)));
        var row = page.Descendants()
            .First(element => element.Attribute("class")?.Value == "headline")
            .Elements()
            .ToList();
        Assert.DoesNotContain(row[5].Elements(), element => element.Name.LocalName == "strong");
        var gains = page.Descendants()
            .Where(element =>
                element.Name.LocalName == "summary" && element.Value.StartsWith("The same in", StringComparison.Ordinal)
            );
        Assert.Equal(
            ["The same in ROUGE-1", "The same in METEOR", "The same in style distance"],
            gains.Select(summary => summary.Value)
        );
    }

    [Fact]
    public void An_unknown_headline_metric_is_an_error_that_lists_the_known_ones()
    {
        var error = Assert.Throws<ArgumentException>(() =>
            Render(SampleReport.Create(users: 2) with { HeadlineMetric = "BLEU" })
        );
        Assert.Contains(
            "'BLEU' is not in the results table; expected one of ROUGE-1, ROUGE-L, METEOR, style distance",
            error.Message,
            StringComparison.Ordinal
        );
    }

    internal static string Render(ReportModel model)
    {
        using var writer = new StringWriter();
        HtmlReport.Write(model, writer);
        return writer.ToString();
    }

    static XDocument Parse(string page) => XDocument.Parse(page, LoadOptions.PreserveWhitespace);
}
