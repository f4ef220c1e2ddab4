using CoPe.Adapters;
using CoPe.Experiments.Settings;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Runs.Recipes;

/// <summary>
/// What a recipe's keys must satisfy together; each key's own type and range is checked where it is read.
/// </summary>
static class RecipeValidation
{
    /// <summary>Checks a recipe that was made in code.</summary>
    /// <exception cref="SettingsException">Its keys contradict each other.</exception>
    public static void Check(Recipe recipe)
    {
        if (FindProblems(recipe).FirstOrDefault() is { } problem)
        {
            throw new SettingsException($"recipe: {problem}");
        }
    }

    /// <summary>
    /// Checks a recipe that was read from a file. A problem is that of the last override of its key,
    /// <c>dotted.key=value</c>, else of the file.
    /// </summary>
    /// <exception cref="SettingsException">
    /// It names no task that is known, or its keys contradict each other.
    /// </exception>
    public static void CheckFile(Recipe recipe, string path, IReadOnlyList<string> overrides)
    {
        var problem = FindTaskProblem(recipe.Task) ?? FindProblems(recipe).FirstOrDefault();
        if (problem is null)
        {
            return;
        }

        var culprit = overrides.LastOrDefault(pair => IsAbout(problem, pair.Split('=')[0].Trim()));
        throw new SettingsException($"{(culprit is null ? path : $"--set {culprit}")}: {problem}");
    }

    static bool IsAbout(string problem, string key) =>
        problem.Contains($"'{key}'", StringComparison.Ordinal)
        || problem.StartsWith($"unknown {key} ", StringComparison.Ordinal);

    static string? FindTaskProblem(string task)
    {
        if (task.Length == 0)
        {
            return "'task' is missing; name one, for example task: scholarly_title";
        }

        var known = LampTasks.All.Select(shipped => shipped.Name).ToList();
        if (TaskFile.IsPath(task) || known.Contains(task))
        {
            return null;
        }

        return $"unknown task '{task}'{NearestName.Hint(task, known)} (tasks: {string.Join(", ", known)}; "
            + "or the path of a task file, for example ./task.yaml)";
    }

    static IEnumerable<string> FindProblems(Recipe recipe)
    {
        if (RecipePaths.FindEmpty(recipe) is { } empty)
        {
            yield return $"'{empty}' is empty; name a file or folder, or leave the key out";
        }

        if (recipe.Device == ComputeDevice.Cuda && recipe.HasQuantizedWeights())
        {
            yield return "'device' is cuda, but int8 and q4 weights are for the processor alone; set device: cpu, or "
                + "model_dtype and decode_dtype: bf16";
        }

        if (recipe.Predict.Count == 0)
        {
            yield return "'predict' is empty; name at least one method, for example predict: [tam, cope]";
        }

        foreach (var name in recipe.Predict.Where(name => PredictionMethod.All.All(method => method.Name != name)))
        {
            yield return $"'predict' names an {PredictionMethod.DescribeUnknown(name)}";
        }

        if (recipe.Tam.Adapter is "")
        {
            yield return "'tam.adapter' is empty; name a folder, none for the base model alone, or null to train one";
        }

        if (recipe.UserAdapters is "")
        {
            yield return "'users.adapters' is empty; name a folder, or null to train adapters";
        }

        if (recipe.Tam.Lora.TargetModules.Count == 0)
        {
            yield return DescribeNoTargets("tam");
        }

        if (recipe.Sft.Lora.TargetModules.Count == 0)
        {
            yield return DescribeNoTargets("sft");
        }

        foreach (var (section, lora) in new[] { ("tam", recipe.Tam.Lora), ("sft", recipe.Sft.Lora) })
        {
            foreach (var name in (lora.ModulesToSave ?? []).Where(name => SavedModuleNames.FindLayer(name) is null))
            {
                yield return $"'{section}.lora.modules_to_save' names '{name}'; it can name "
                    + string.Join(", ", SavedModuleNames.All);
            }
        }

        if (recipe.Decode.Runs > 1 && !recipe.Decode.Decoding.DoSample)
        {
            yield return $"'decode.runs' is {recipe.Decode.Runs}, but without decode.do_sample: true every run writes "
                + "the same";
        }

        if (recipe.Dpo.Preference.HasUnusedLabelSmoothing)
        {
            yield return "'dpo.label_smoothing' belongs to dpo.loss: sigmoid; set it to 0 for "
                + SettingsSchema.Format(recipe.Dpo.Preference.Loss);
        }
    }

    static string DescribeNoTargets(string section) =>
        $"'{section}.lora.target_modules' is empty; name layers, for example [q_proj, v_proj]";
}
