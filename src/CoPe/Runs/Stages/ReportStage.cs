using CoPe.Evaluation.Report;
using CoPe.Runs.Recipes;

namespace CoPe.Runs.Stages;

/// <summary>Writes the run's report, one HTML file that needs nothing else.</summary>
sealed class ReportStage : Stage
{
    /// <inheritdoc/>
    public override string Name => "report";

    /// <inheritdoc/>
    public override IReadOnlyList<string> RecipeKeys => [];

    /// <inheritdoc/>
    public override IEnumerable<string> Needs(Recipe recipe) => ["evaluate"];

    /// <inheritdoc/>
    public override IEnumerable<string> Outputs(RunDirectory run) => [run.Report];

    /// <inheritdoc/>
    public override void Execute(StageContext context)
    {
        var model = new RunReport(context, new RunWorkspace(context)).Build();
        AtomicFile.WriteText(context.Run.Report, writer => HtmlReport.Write(model, writer));
    }
}
