using CoPe.Evaluation.Report;
using CoPe.Training;

namespace CoPe.Runs.Stages;

/// <summary>Curves of the training stages, from their figures: means over the users at each step.</summary>
static class RunCurves
{
    static readonly (string Stage, string Title)[] Stages = [("train tam", "TAM"), ("train tam-all", "TAM-all"), ("train sft", "SFT (mean over users)"), ("train dpo", "DPO (mean over users)")];

    static readonly (string Figure, string Quantity, string Series)[] Figures =
    [
        ("loss", "loss", "learnt from"), ("development loss", "loss", "held out"), ("rewards/chosen", "reward", "chosen"), ("rewards/rejected", "reward", "rejected"),
        ("rewards/margins", "reward margin", ""), ("rewards/accuracies", "accuracy", ""), ("lr", "learning rate", ""), ("tokens/s", "tokens/s", ""), ("memory MB", "memory, MB", ""),
    ];

    /// <summary>The curves of the stages that have run.</summary>
    public static IEnumerable<TrainingCurve> Of(StageContext context) => Stages.SelectMany(stage => Of(context.Run.Metrics(stage.Stage), stage.Title));

    static IEnumerable<TrainingCurve> Of(string file, string title)
    {
        // Where an interrupted stage took a step again, the last line of a user's step counts.
        var rows = JsonLines.Read<MetricRow>(file).GroupBy(row => (row.User, row.Step, row.Figures.ContainsKey("development loss"))).Select(group => group.Last()).ToList();
        foreach (var (figure, quantity, series) in Figures)
        {
            var points = rows.Where(row => row.Figures.ContainsKey(figure)).GroupBy(row => row.Step).OrderBy(group => group.Key)
                .Select(group => new CurvePoint(group.Key, group.Average(row => row.Figures[figure]))).ToList();
            if (points.Count > 0) yield return new TrainingCurve { Stage = title, Quantity = quantity, Series = series, Points = points };
        }
    }
}
