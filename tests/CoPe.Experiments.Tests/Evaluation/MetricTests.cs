using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Tests.Evaluation;

public class MetricTests
{
    [Fact]
    public void Every_declared_metric_is_registered_once()
    {
        var declared = typeof(Metric)
            .GetProperties()
            .Where(property => property.PropertyType == typeof(Metric))
            .Select(property => (Metric)property.GetValue(null)!);

        Assert.Equal(declared, Metric.All);
        Assert.Equal(Metric.All.Count, Metric.All.Select(metric => metric.Name).Distinct().Count());
        Assert.All(Metric.All, metric => Assert.Same(metric, Metric.FromName(metric.Name)));
    }

    [Fact]
    public void Every_metric_is_scored_in_one_way() =>
        Assert.All(
            Metric.All,
            metric =>
            {
                bool[] ways = [metric.ScoreAnswer is not null, metric.ScoreCorpus is not null, metric.NeedsModel];
                Assert.Single(ways, way => way);
                Assert.Equal(metric.NeedsModel, metric.Outcome is null);
            }
        );

    [Fact]
    public void The_report_gives_every_metric_a_place_of_its_own()
    {
        var positions = Metric.All.Select(metric => metric.ReportPosition).OfType<int>().ToList();
        Assert.Equal(positions.Distinct().Count(), positions.Count);
    }

    [Theory]
    [InlineData(TaskOutcome.Text, "rouge-l", new[] { "rouge-1", "rouge-l", "meteor" })]
    [InlineData(TaskOutcome.Category, "accuracy", new[] { "accuracy", "macro-f1" })]
    [InlineData(TaskOutcome.Rating, "mae", new[] { "mae", "rmse" })]
    public void A_task_has_its_headline_and_the_metrics_of_narrow_tables(
        TaskOutcome outcome,
        string headline,
        string[] narrow
    )
    {
        Assert.Equal(headline, Metric.HeadlineFor(outcome).Name);
        Assert.Equal(narrow, Metric.NarrowFor(outcome).Select(metric => metric.Name));
    }
}
