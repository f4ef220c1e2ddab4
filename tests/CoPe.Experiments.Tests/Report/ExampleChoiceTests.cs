using CoPe.Experiments.Report;
using CoPe.Experiments.Report.Sections;

namespace CoPe.Experiments.Tests.Report;

public class ExampleChoiceTests
{
    [Fact]
    public void Users_with_many_queries_do_not_crowd_out_the_others()
    {
        // a has four, b two, c one: three places go to the first of each, the fourth and fifth to the second of a and
        // b.
        var examples = "aaaabbc"
            .Select(
                (user, index) =>
                    new ReportExample
                    {
                        User = $"{user}",
                        Query = $"{index}",
                        Input = "",
                        Gold = "",
                    }
            )
            .ToList();
        Assert.Equal(["0", "4", "6"], ExampleChoice.Spread(examples, 3).Select(example => example.Query));
        Assert.Equal(["0", "1", "4", "5", "6"], ExampleChoice.Spread(examples, 5).Select(example => example.Query));
        Assert.Same(examples, ExampleChoice.Spread(examples, 7));
    }
}
