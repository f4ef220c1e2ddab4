using CoPe.Evaluation;
using CoPe.Runs.Recipes;
using CoPe.Runs.Results;
using Microsoft.Extensions.Logging;

namespace CoPe.Runs.Stages;

/// <summary>Stage 6: predictions against the users' own answers, and how likely these answers are to each model.</summary>
sealed class EvaluateStage : Stage
{
    /// <inheritdoc/>
    public override string Name => "evaluate";

    /// <inheritdoc/>
    public override IReadOnlyList<string> RecipeKeys =>
        ["task", "seed", "users", "history_limit", "development_items", "decode_dtype", "decode.do_sample", "decode.runs", "predict", "evaluate", "negatives.max_new_tokens", "context", "sft.max_words"];

    /// <inheritdoc/>
    public override IEnumerable<string> Needs(Recipe recipe)
    {
        var methods = recipe.Methods().ToList();
        foreach (var method in methods) yield return $"predict {method.Name}";
        if (!recipe.Evaluate.Likelihood) yield break;
        if (methods.Any(method => method.NeedsTam(recipe))) yield return "train tam";
        if (methods.Any(method => method.TaskAdapter == TaskAdapterKind.Everyone)) yield return "train tam-all";
        if (methods.Any(method => method.Context == ContextKind.Profile)) yield return "profile";
        if (methods.Any(method => method.UserAdapter != UserAdapterKind.None)) yield return "train sft";
        if (methods.Any(method => method.UserAdapter == UserAdapterKind.Dpo)) yield return "train dpo";
    }

    /// <inheritdoc/>
    public override IEnumerable<string> Outputs(RunDirectory run) => [run.Results, run.ResultsTable, run.Significance, run.SignificanceTable, run.UserResultsTable, run.Likelihood];

    /// <inheritdoc/>
    public override void Execute(StageContext context)
    {
        var workspace = new RunWorkspace(context);
        IReadOnlyList<QueryLikelihood> likelihood = context.Recipe.Evaluate.Likelihood ? new HeldOutLikelihood(context, workspace).Measure() : [];
        JsonLines.Write(context.Run.Likelihood, likelihood);
        WriteResults(context);
    }

    /// <summary>Writes the results from the answers and the likelihood as they stand.</summary>
    public static void WriteResults(StageContext context)
    {
        var report = RunScores.With(RunScores.Read(context, new RunWorkspace(context)), JsonLines.Read<QueryLikelihood>(context.Run.Likelihood));
        foreach (var warning in report.Warnings) context.Log.LogWarning("{Warning}", warning);
        ResultsFile.WriteJson(report, context.Run.Results);
        ResultsFile.WriteCsv(report, context.Run.ResultsTable);
        SignificanceFile.Write(report, MethodTests.OptionsOf(context.Recipe), context.Run);
    }
}
