using System.Xml.Linq;
using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Report;
using CoPe.Experiments.Report.Pages;

namespace CoPe.Experiments.Tests.Report;

public class PersonPageTests
{
    const string Hostile = "<script>alert(1)</script> & \"مرحبا\" 😀";

    [Fact]
    public void Texts_stand_beside_the_persons_own_and_are_escaped()
    {
        var page = Write(
            Model() with
            {
                Person = Hostile,
                Examples = [new(Hostile, $"own {Hostile}", $"answer {Hostile}", $"base {Hostile}")],
            }
        );

        Assert.Empty(Elements(page, "script"));
        var texts = Elements(page, "p").Select(element => element.Value).ToList();
        Assert.Contains($"own {Hostile}", texts);
        Assert.Contains($"answer {Hostile}", texts);
        Assert.Contains($"base {Hostile}", texts);
        Assert.Equal($"Writing like {Hostile}", Elements(page, "h1").Single().Value);
    }

    [Fact]
    public void What_was_learned_and_taken_up_is_said_in_sentences()
    {
        string[] own = ["Right then, off we go! It is late.", "Right then, off we go! It is early."];
        var page = Write(
            Model() with
            {
                Comparison = WritingComparison.Compute(own, ["The day is long"], ["Right then, off we go!"]),
                Training = "rate 3e-3, 4 epochs",
            }
        );

        Assert.Contains("learned from 7 texts; 1 text held out", page.Value, StringComparison.Ordinal);
        Assert.Contains("\"Right then, off we go\"", page.Value, StringComparison.Ordinal);
        Assert.Contains("rate 3e-3, 4 epochs", page.Value, StringComparison.Ordinal);
        Assert.Contains("exclamation marks", Elements(page, "table").Single().Value, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_answers_the_page_says_so() =>
        Assert.Equal(2, Elements(Write(Model()), "p").Count(p => (string?)p.Attribute("class") == "absent"));

    static PersonModel Model() =>
        new()
        {
            Person = "me",
            LearnedTexts = 7,
            HeldOutTexts = 1,
            Model = "scribe",
            Command = "cope chat runs/me --user me",
        };

    static XElement Write(PersonModel model)
    {
        using var writer = new StringWriter();
        PersonPage.Write(model, writer);
        return XDocument.Parse(writer.ToString()).Root!;
    }

    static IEnumerable<XElement> Elements(XElement page, string name) =>
        page.Descendants().Where(element => element.Name.LocalName == name);
}
