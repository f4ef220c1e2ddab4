using CoPe.Data.Tasks;
using CoPe.Runs.Recipes;

namespace CoPe.Data.Importing;

/// <summary>Makes a task of a source's columns.</summary>
static class ImportedTask
{
    const int LongestLine = 40;
    const int ShortAnswer = 100;
    const int LongAnswer = 600;

    /// <summary>The task: its fields are the columns, its length follows from the texts.</summary>
    /// <exception cref="RecipeException">Name or wording cannot be used.</exception>
    public static TaskDefinition Of(ImportOptions options, ImportedTexts texts)
    {
        var output = ImportedTexts.Pair(options.Output).Field;
        var inputs = options.Inputs.Select(input => ImportedTexts.Pair(input).Field).ToList();
        var yaml = RecipeFile.ToYaml(new TaskKeys
        {
            Name = options.Name, InputFields = inputs, OutputField = output, System = options.System, History = options.Prompt ?? Wording(output, inputs),
            MaxNewTokens = texts.Lengths.Percentile95 <= LongestLine ? ShortAnswer : LongAnswer, SingleLineAnswer = texts.IsLines && texts.Lengths.Max <= LongestLine,
        });
        return TaskFile.Parse(yaml, "the task of these columns");
    }

    static string Wording(string output, List<string> inputs) => inputs switch
    {
        [] => $"Write the next {Plain(output)}.",
        [var one] => $"Write the {Plain(output)} for the following {Plain(one)}: {{{one}}}",
        _ => $"Write the {Plain(output)} for the following.\n{string.Join('\n', inputs.Select(input => $"{Plain(input)}: {{{input}}}"))}",
    };

    static string Plain(string column) => column.Replace('_', ' ').Replace("{", "{{", StringComparison.Ordinal).Replace("}", "}}", StringComparison.Ordinal);
}
