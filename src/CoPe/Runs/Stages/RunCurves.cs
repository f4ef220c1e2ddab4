using CoPe.Evaluation.Report;
using CoPe.Training;

namespace CoPe.Runs.Stages;

/// <summary>Curves of the training stages, from their figures: means over the users at each step.</summary>
static class RunCurves
{
    static readonly (string Stage, string Title, (string Figure, string Quantity, string Series)[] Figures)[] Wanted =
    [
        ("train tam", "TAM", [("loss", "loss", "")]),
        ("train tam-all", "TAM-all", [("loss", "loss", "")]),
        ("train sft", "SFT (mean over users)", [("loss", "loss", "")]),
        ("train dpo", "DPO (mean over users)", [("loss", "loss", ""), ("rewards/margins", "reward margin", ""), ("rewards/accuracies", "accuracy", "")]),
    ];

    /// <summary>The curves of the stages that have run.</summary>
    public static IEnumerable<TrainingCurve> Of(StageContext context)
    {
        foreach (var (stage, title, figures) in Wanted)
        {
            // Where an interrupted stage took a step again, the last line of a user's step counts.
            var rows = JsonLines.Read<MetricRow>(context.Run.Metrics(stage)).GroupBy(row => (row.User, row.Step)).Select(group => group.Last()).ToList();
            foreach (var (figure, quantity, series) in figures)
            {
                var points = rows.Where(row => row.Figures.ContainsKey(figure)).GroupBy(row => row.Step).OrderBy(group => group.Key)
                    .Select(group => new CurvePoint(group.Key, group.Average(row => row.Figures[figure]))).ToList();
                if (points.Count > 0) yield return new TrainingCurve { Stage = title, Quantity = quantity, Series = series, Points = points };
            }
        }
    }
}
