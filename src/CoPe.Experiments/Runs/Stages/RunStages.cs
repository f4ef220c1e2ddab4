using CoPe.Experiments.Runs.Recipes;

namespace CoPe.Experiments.Runs.Stages;

/// <summary>The stages of a run in order: the one place where they are registered.</summary>
public static class RunStages
{
    /// <summary>Every stage, in the order in which they run.</summary>
    public static IReadOnlyList<Stage> All { get; } =
    [
        new TrainTamStage(TaskAdapterKind.Others),
        new TrainTamStage(TaskAdapterKind.Everyone),
        new TrainSftStage(),
        new SampleNegativesStage(),
        new SelectNegativesStage(),
        new TrainDpoStage(),
        new ProfileStage(),
        .. PredictionMethod.All.Select(method => new PredictStage(method)),
        new EvaluateStage(),
        new PersonPageStage(),
        new ReportStage(),
    ];
}
