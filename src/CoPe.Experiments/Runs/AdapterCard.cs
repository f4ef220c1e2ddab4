using System.Text.Json;
using CoPe.Adapters;
using CoPe.Experiments.Runs.Recipes;

namespace CoPe.Experiments.Runs;

/// <summary>
/// The model card of an adapter's folder: what the adapter stands on, and the lines with which PEFT loads all of it.
/// </summary>
/// <param name="recipe">The recipe of the run.</param>
sealed class AdapterCard(Recipe recipe)
{
    /// <summary>The task-adaptive model's adapter, within the run.</summary>
    public const string TamFolder = "tam/adapter";

    /// <summary>Its name in the folder.</summary>
    public const string FileName = "README.md";

    /// <summary>Where the adapter was copied from; null where the run trained it.</summary>
    public string? Source { get; init; }

    /// <summary>Writes the card.</summary>
    /// <param name="folder">The folder to write it into, with the adapter.</param>
    /// <param name="place">Where the adapter belongs in the run, for example <c>sft/1</c>.</param>
    public void Write(string folder, string place) =>
        AtomicFile.WriteText(Path.Combine(folder, FileName), Render(place, AdapterFile.ReadActivePositions(folder)));

    string Render(string place, ActivePositions active)
    {
        var isUsers = !place.StartsWith("tam", StringComparison.Ordinal);
        var standsOnTam = isUsers && !recipe.UsesBaseAsTam;
        string[] stack = standsOnTam ? [TamFolder, place] : [place];
        var origin = Source is null
            ? $"Trained by `cope` on {recipe.Task}."
            : "Made elsewhere and copied into this run.";
        return $"""
            ---
            base_model: {JsonSerializer.Serialize(recipe.Model)}
            library_name: peft
            pipeline_tag: text-generation
            tags:
            - lora
            ---

            # {place}

            {origin} {DescribeStack(isUsers, standsOnTam)}

            ```python
            {RenderLoading(stack)}
            ```

            The folders are those of the run, from its own folder. {RenderMerging(stack, active)}

            """;
    }

    string RenderMerging(string[] stack, ActivePositions active) =>
        active == ActivePositions.Answer
            ? "This adapter acts on the answer alone (activated LoRA, PEFT 0.18 or newer) and cannot be merged."
            : $"""
                One model without adapters, for tools that load a
                single folder:

                ```
                cope model merge {recipe.Model} {string.Join(' ', stack)} --output FOLDER
                ```
                """;

    static string DescribeStack(bool isUsers, bool standsOnTam) =>
        !isUsers ? "This LoRA adapter is the task-adaptive model: it stands on the base model alone."
        : standsOnTam
            ? "This LoRA adapter of one user stands on the base model **and** on the adapter of the task-adaptive "
                + $"model (`{TamFolder}`): both must be active, or it answers like neither."
        : "This LoRA adapter of one user stands on the base model alone.";

    /// <summary>Several active adapters add up; only the inner model takes a list of them.</summary>
    string RenderLoading(string[] stack)
    {
        List<string> lines =
        [
            "from peft import PeftModel",
            "from transformers import AutoModelForCausalLM",
            "",
            $"model = AutoModelForCausalLM.from_pretrained({JsonSerializer.Serialize(recipe.Model)})",
            $"model = PeftModel.from_pretrained(model, \"{stack[0]}\", adapter_name=\"{GetName(stack[0])}\")",
        ];
        if (stack.Length > 1)
        {
            lines.Add($"model.load_adapter(\"{stack[1]}\", adapter_name=\"user\")");
            lines.Add("model.base_model.set_adapter([\"tam\", \"user\"])  # both are active and add up");
        }

        lines.Add("model.eval()");
        return string.Join('\n', lines);
    }

    static string GetName(string place) => place.StartsWith("tam", StringComparison.Ordinal) ? "tam" : "user";
}
