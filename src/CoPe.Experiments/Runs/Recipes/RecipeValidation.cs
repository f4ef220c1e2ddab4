using CoPe.Adapters;
using CoPe.Experiments.Settings;
using CoPe.Experiments.Tasks;
using CoPe.Training;

namespace CoPe.Experiments.Runs.Recipes;

/// <summary>
/// What a recipe's keys must satisfy together; each key's own type and range is checked where it is read.
/// </summary>
static class RecipeValidation
{
    /// <summary>
    /// The recipe itself, once it is found usable. A problem is that of the last override of its key,
    /// <c>dotted.key=value</c>, else of the file.
    /// </summary>
    public static Recipe Check(Recipe recipe, string path, IReadOnlyList<string> overrides)
    {
        foreach (var problem in FindProblems(recipe))
        {
            var set = overrides.LastOrDefault(pair => IsAbout(problem, pair.Split('=')[0].Trim()));
            throw new SettingsException($"{(set is null ? path : $"--set {set}")}: {problem}");
        }

        return recipe;
    }

    static bool IsAbout(string problem, string key) =>
        problem.Contains($"'{key}'", StringComparison.Ordinal)
        || problem.StartsWith($"unknown {key} ", StringComparison.Ordinal);

    static IEnumerable<string> FindProblems(Recipe recipe)
    {
        if (recipe.Task.Length == 0)
        {
            yield return "'task' is missing; name one, for example task: scholarly_title";
        }

        var tasks = LampTasks.All.Select(task => task.Name).ToList();
        if (recipe.Task.Length > 0 && !TaskFile.IsPath(recipe.Task) && !tasks.Contains(recipe.Task))
        {
            yield return $"unknown task '{recipe.Task}'{NearestName.Hint(recipe.Task, tasks)} (tasks: {string.Join(", ", tasks)}; or the path of a task file, for example ./task.yaml)";
        }

        if (recipe.ModelDtype == WeightDtype.Int8)
        {
            yield return "'model_dtype' is int8, whose rounded weights pass no gradients; set auto, bf16 or fp32 for training, and decode_dtype: int8 for decoding";
        }

        if (recipe.Device == ComputeDevice.Cuda && recipe.HasInt8Weights())
        {
            yield return "'device' is cuda, but int8 weights are for the processor alone; set device: cpu or decode_dtype: bf16";
        }

        if (recipe.Predict.Count == 0)
        {
            yield return "'predict' is empty; name at least one method, for example predict: [tam, cope]";
        }

        foreach (var name in recipe.Predict.Where(name => PredictionMethod.All.All(method => method.Name != name)))
        {
            yield return $"'predict' names an {PredictionMethod.DescribeUnknown(name)}";
        }

        foreach (
            var problem in FindLoraProblems("tam.lora", recipe.Tam.Lora)
                .Concat(FindLoraProblems("sft.lora", recipe.Sft.Lora))
        )
        {
            yield return problem;
        }

        if (recipe.Decode.Runs > 1 && !recipe.Decode.DoSample)
        {
            yield return $"'decode.runs' is {recipe.Decode.Runs}, but without decode.do_sample: true every run writes the same";
        }

        if (recipe.Dpo.LabelSmoothing > 0 && recipe.Dpo.Loss != DpoLossKind.Sigmoid)
        {
            yield return $"'dpo.label_smoothing' belongs to dpo.loss: sigmoid; set it to 0 for {SettingsSchema.Format(recipe.Dpo.Loss)}";
        }
    }

    static IEnumerable<string> FindLoraProblems(string key, LoraConfig lora)
    {
        if (lora.Rank < 1)
        {
            yield return $"'{key}.rank' is {lora.Rank}; it must be at least 1";
        }

        if (lora.Alpha <= 0)
        {
            yield return $"'{key}.alpha' is {SettingsSchema.Format(lora.Alpha)}; it must be greater than 0";
        }

        if (lora.Dropout is < 0 or >= 1)
        {
            yield return $"'{key}.dropout' is {SettingsSchema.Format(lora.Dropout)}; it must be at least 0 and less than 1";
        }

        if (lora.TargetModules.Count == 0)
        {
            yield return $"'{key}.target_modules' is empty; name layers, for example [q_proj, v_proj]";
        }
    }
}
