using System.Xml.Linq;
using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Report;
using CoPe.Experiments.Report.Pages;

namespace CoPe.Experiments.Tests.Report;

public class SeedsReportTests
{
    const string Hostile = "<b>CoPe & 😀 عربي";

    [Fact]
    public void The_page_is_well_formed_and_shows_every_seed_beside_their_average()
    {
        var page = Page(0.25, [(3, 0.2), (4, 0.3)]);

        var table = page.Descendants()
            .Last(element =>
                element.Name.LocalName == "table" && element.Value.Contains("seed 3", StringComparison.Ordinal)
            );
        Assert.Equal(
            ["Method", "seed 3", "seed 4", "average", "sd"],
            Cells(table.Descendants().First(element => element.Name.LocalName == "thead"))
        );
        Assert.Equal(
            [Hostile, "0.200", "0.300", "0.250", "0.071"],
            Cells(table.Descendants().First(element => element.Name.LocalName == "tbody"))
        );
        Assert.Contains("sd 0.071", page.Value, StringComparison.Ordinal);
        Assert.Contains(
            $"{Hostile}, seed 4: 0.300",
            page.Descendants().Where(element => element.Name.LocalName == "circle").Select(dot => dot.Value)
        );
    }

    [Fact]
    public void A_method_that_one_seed_lacks_is_a_dash_there()
    {
        var page = Page(0.2, [(3, 0.2), (4, null)]);

        Assert.Contains(
            "–",
            page.Descendants().Where(element => element.Name.LocalName == "td").Select(cell => cell.Value)
        );
        Assert.Single(page.Descendants(), element => element.Name.LocalName == "circle");
    }

    static XElement Page(double average, (long Seed, double? Mean)[] seeds)
    {
        using var writer = new StringWriter();
        var model = new SeedsModel
        {
            Average = new() { Title = "titles", Results = Table(average, 0.0707) },
            Seeds = [.. seeds.Select(seed => new SeedResults(seed.Seed, Table(seed.Mean, null)))],
        };
        SeedsReport.Write(model, writer);
        return XDocument.Parse(writer.ToString()).Root!;
    }

    static ResultsTable Table(double? mean, double? deviation) =>
        new()
        {
            Methods = [Hostile],
            Metrics = [new() { Name = "ROUGE-L" }],
            Cells = mean is { } value
                ?
                [
                    new()
                    {
                        Method = Hostile,
                        Metric = "ROUGE-L",
                        Mean = value,
                        StandardError = 0.01,
                        Count = 5,
                        SeedDeviation = deviation,
                    },
                ]
                : [],
        };

    static IEnumerable<string> Cells(XElement part) =>
        part.Descendants().Where(element => element.Name.LocalName is "th" or "td").Select(element => element.Value);
}
