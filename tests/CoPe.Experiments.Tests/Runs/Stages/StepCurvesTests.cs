using CoPe.Experiments.Report;
using CoPe.Experiments.Runs.Stages;
using CoPe.Training;

namespace CoPe.Experiments.Tests.Runs.Stages;

public class StepCurvesTests
{
    static StepMetrics Row(string user, long step, string figure, double value) =>
        new()
        {
            Stage = "train sft",
            User = user,
            Step = step,
            Figures = new Dictionary<string, double> { [figure] = value },
        };

    [Fact]
    public void A_figure_is_averaged_over_the_users_of_each_step()
    {
        var figures = new StepCurves(["loss", "lr"]);
        figures.Add(Row("ann", 2, "loss", 3));
        figures.Add(Row("ann", 1, "loss", 4));
        figures.Add(Row("bob", 1, "loss", 2));

        Assert.Equal([new CurvePoint(1, 3), new CurvePoint(2, 3)], figures.Average("loss"));
        Assert.Empty(figures.Average("lr"));
    }

    [Fact]
    public void The_last_line_of_a_step_counts_and_held_out_lines_are_others()
    {
        var figures = new StepCurves(["loss", TrainingCurves.DevelopmentLoss]);
        figures.Add(Row("ann", 1, "loss", 4));
        figures.Add(Row("ann", 1, TrainingCurves.DevelopmentLoss, 7));
        figures.Add(Row("ann", 1, "loss", 1));

        Assert.Equal([new CurvePoint(1, 1)], figures.Average("loss"));
        Assert.Equal([new CurvePoint(1, 7)], figures.Average(TrainingCurves.DevelopmentLoss));
    }
}
