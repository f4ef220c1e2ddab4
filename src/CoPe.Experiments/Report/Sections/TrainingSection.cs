using CoPe.Experiments.Report.Plots;

namespace CoPe.Experiments.Report.Sections;

/// <summary>Training curves, one panel per stage and quantity.</summary>
sealed class TrainingSection : ReportSection
{
    public override string Id => "training";

    public override string Title => "Training";

    public override bool HasData(ReportModel model) => Drawable(model).Any();

    protected override string EmptyMessage => "No training metrics were recorded in this run, so there are no curves.";

    protected override string Lead(ReportModel model) =>
        "Faint: as measured at each step. Strong: a moving mean over a twelfth of the curve.";

    protected override void WriteContent(Markup markup, ReportModel model)
    {
        using (markup.Open("div", ("class", "grid three")))
        {
            foreach (var panel in Drawable(model).GroupBy(curve => (curve.Stage, curve.Quantity)))
            {
                WriteFigure(markup, panel.Key.Stage, panel.Key.Quantity, () => WritePanel(markup, [.. panel]));
            }
        }
    }

    static IEnumerable<TrainingCurve> Drawable(ReportModel model) =>
        model.Curves.Where(curve => CurvePlot.Finite(curve).Count > 0);

    static void WritePanel(Markup markup, List<TrainingCurve> curves)
    {
        if (curves.Count > 1)
        {
            WriteLegend(markup, curves.Select((curve, index) => (curve.Series, PlotCanvas.SeriesStyle(index))));
        }

        CurvePlot.Write(markup, curves);
    }
}
