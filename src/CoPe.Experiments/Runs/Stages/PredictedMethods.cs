using CoPe.Experiments.Runs.Recipes;

namespace CoPe.Experiments.Runs.Stages;

/// <summary>
/// Measures what is there: of a recipe's methods those whose predictions are complete. The marker of such an evaluation
/// names the methods it measured, so that it counts as complete for no others.
/// </summary>
static class PredictedMethods
{
    /// <summary>A context whose recipe has the methods with complete predictions alone.</summary>
    /// <exception cref="RunException">There is none.</exception>
    public static StageContext Select(Pipeline pipeline, StageContext context)
    {
        var recipe = context.Recipe;
        var unfinished = pipeline
            .GetStatus(context)
            .Where(status => status.State != StageState.Complete)
            .Select(status => status.Stage.Method)
            .OfType<PredictionMethod>()
            .ToHashSet();
        List<string> measured = [.. recipe.Methods().Except(unfinished).Select(method => method.Name)];
        if (measured.Count == 0)
        {
            throw new RunException(
                $"'evaluate' needs predictions, and {context.Run.Name} has none that are current "
                    + $"({string.Join(", ", unfinished.Select(method => method.Name))}): "
                    + $"write them with 'cope predict --run {context.Run.Name}', or with --method NAME those of a few"
            );
        }

        return unfinished.Count == 0 ? context : context with { Recipe = recipe with { Predict = measured } };
    }
}
