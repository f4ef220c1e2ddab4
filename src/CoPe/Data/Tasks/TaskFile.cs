using System.Reflection;
using CoPe.Prompts;
using CoPe.Runs.Recipes;

namespace CoPe.Data.Tasks;

/// <summary>Reads and writes task files: one YAML file says everything about a task, the shipped ones like a user's own. docs/data.md lists the keys.</summary>
public static class TaskFile
{
    /// <summary>Name of a task file that lies beside the data it belongs to.</summary>
    public const string BesideData = "task.yaml";

    /// <summary>Whether a recipe's or command's <c>task</c> is a file rather than the name of a shipped task.</summary>
    public static bool IsPath(string task)
    {
        ArgumentNullException.ThrowIfNull(task);
        return task.EndsWith(".yaml", StringComparison.OrdinalIgnoreCase) || task.EndsWith(".yml", StringComparison.OrdinalIgnoreCase) || task.Contains('/') || task.Contains('\\');
    }

    /// <summary>Reads a task file.</summary>
    /// <exception cref="RecipeException">It is missing, no YAML, has an unknown key, or lacks one.</exception>
    /// <exception cref="DataFileException">The wording names a field that the task does not have.</exception>
    public static TaskDefinition Read(string path) =>
        File.Exists(path) ? Parse(File.ReadAllText(path), path) : throw new RecipeException($"task file {path} does not exist: name a YAML file, or a shipped task ({string.Join(", ", LampTasks.All.Select(task => task.Name))})");

    /// <summary>The task of a shipped name, as it was at the build.</summary>
    /// <exception cref="ArgumentException">None is shipped under that name.</exception>
    public static TaskDefinition Shipped(string name)
    {
        var resource = $"tasks/{name}.yaml";
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(resource)
            ?? throw new ArgumentException($"No task \"{name}\" is shipped; name a task file, for example task.yaml.");
        return Parse(new StreamReader(stream).ReadToEnd(), resource);
    }

    /// <summary>The task as a file, every key written out.</summary>
    public static string ToYaml(TaskDefinition definition)
    {
        ArgumentNullException.ThrowIfNull(definition);
        var (task, template) = definition;
        return RecipeFile.ToYaml(new TaskKeys
        {
            Name = task.Name, Benchmark = task.LampId, InputFields = task.InputFields, OutputField = task.OutputField, Outcome = task.Outcome,
            MaxNewTokens = task.MaxNewTokens, RepetitionPenalty = task.RepetitionPenalty, AnswerLabels = task.AnswerLabels, Labels = task.Labels, SingleLineAnswer = task.SingleLineAnswer,
            System = template.System, History = template.History, Query = template.Query,
            Example = template.InContext.Example, Examples = template.InContext.Examples, Summary = template.InContext.Summary, Profile = template.InContext.Profile,
        });
    }

    internal static TaskDefinition Parse(string yaml, string path)
    {
        var keys = RecipeFile.Parse<TaskKeys>(yaml, path, []);
        if (Problem(keys) is { } problem) throw new RecipeException($"{path}: {problem}");
        var task = new LampTask
        {
            Name = keys.Name, LampId = keys.Benchmark ?? keys.Name, InputFields = keys.InputFields, OutputField = keys.OutputField, Outcome = keys.Outcome,
            MaxNewTokens = keys.MaxNewTokens, RepetitionPenalty = keys.RepetitionPenalty, AnswerLabels = keys.AnswerLabels, Labels = keys.Labels, SingleLineAnswer = keys.SingleLineAnswer,
        };
        return new(task, PromptTemplates.Checked(path, () => new()
        {
            Task = task, System = keys.System, History = keys.History, Query = keys.Query,
            InContext = new() { Example = keys.Example, Examples = keys.Examples, Summary = keys.Summary, Profile = keys.Profile },
        }));
    }

    static string? Problem(TaskKeys keys)
    {
        if (keys.Name.Length == 0) return "'name' is missing; name the task, which is also the name of its data folder, for example name: my_mails";
        if (!keys.Name.All(letter => char.IsLetterOrDigit(letter) || letter is '_' or '-' or '.') || keys.Name[0] == '.')
            return $"'name' is '{keys.Name}'; it is also the name of a folder, so use letters, digits, '_' and '-'";
        if (keys.OutputField.Length == 0) return "'output_field' is missing; name the field of a history item that the user wrote, for example output_field: text";
        if (keys.InputFields.Contains(keys.OutputField)) return $"'input_fields' holds the output field '{keys.OutputField}': a prompt that holds the answer gives it away";
        if (keys.Labels.Count > 0 && keys.Outcome != TaskOutcome.Category) return "'labels' lists the answers there are, but the outcome is no category: leave 'labels' out, or set outcome: category";
        return keys.History.Length == 0 ? "'history' is missing; word the request for a history item, for example history: \"Write about: {topic}\"" : null;
    }
}
