using System.ComponentModel.DataAnnotations;
using System.Reflection;
using CoPe.Experiments.Settings;

namespace CoPe.Experiments.Tasks;

/// <summary>A task file's content: what the task is, and how it asks.</summary>
/// <param name="Task">Fields, answer, length.</param>
/// <param name="Template">Wording of history items and queries.</param>
public sealed record TaskDefinition(LampTask Task, PromptTemplate Template);

/// <summary>
/// Reads and writes task files: one YAML file says everything about a task, the shipped ones like a user's own.
/// docs/data.md lists the keys.
/// </summary>
public static class TaskFile
{
    /// <summary>Name of a task file that lies beside the data it belongs to.</summary>
    public const string DefaultName = "task.yaml";

    /// <summary>Whether a recipe's or command's <c>task</c> is a file rather than the name of a shipped task.</summary>
    public static bool IsPath(string task)
    {
        ArgumentNullException.ThrowIfNull(task);
        return task.EndsWith(".yaml", StringComparison.OrdinalIgnoreCase)
            || task.EndsWith(".yml", StringComparison.OrdinalIgnoreCase)
            || task.Contains('/')
            || task.Contains('\\');
    }

    /// <summary>Reads a task file.</summary>
    /// <exception cref="SettingsException">It is missing, is not YAML, has an unknown key, or lacks one.</exception>
    /// <exception cref="DataFileException">The wording names a field that the task does not have.</exception>
    public static TaskDefinition Read(string path)
    {
        if (!File.Exists(path))
        {
            var shipped = string.Join(", ", LampTasks.All.Select(task => task.Name));
            throw new SettingsException(
                $"task file {path} does not exist: name a YAML file, or a shipped task ({shipped})"
            );
        }

        return Parse(YamlText.ReadFile(path), path);
    }

    /// <summary>The task of a shipped name, as it was at the build.</summary>
    /// <exception cref="ArgumentException">None is shipped under that name.</exception>
    public static TaskDefinition LoadShipped(string name)
    {
        var resource = $"tasks/{name}.yaml";
        using var stream =
            Assembly.GetExecutingAssembly().GetManifestResourceStream(resource)
            ?? throw new ArgumentException($"No task \"{name}\" is shipped; name a task file, for example task.yaml.");
        using var reader = new StreamReader(stream);
        return Parse(reader.ReadToEnd(), resource);
    }

    /// <summary>The task as a file, every key written out.</summary>
    public static string ToYaml(TaskDefinition definition)
    {
        ArgumentNullException.ThrowIfNull(definition);
        var (task, template) = definition;
        return SettingsFile.ToYaml(
            new TaskKeys
            {
                Name = task.Name,
                Benchmark = task.BenchmarkId,
                InputFields = task.InputFields,
                OutputField = task.OutputField,
                Outcome = task.Outcome,
                MaxNewTokens = task.MaxNewTokens,
                RepetitionPenalty = task.RepetitionPenalty,
                AnswerLabels = task.AnswerLabels,
                Labels = task.Labels,
                SingleLineAnswer = task.SingleLineAnswer,
                System = template.System,
                History = template.History,
                Query = template.Query,
                Example = template.InContext.Example,
                Examples = template.InContext.Examples,
                Summary = template.InContext.Summary,
                Profile = template.InContext.Profile,
            }
        );
    }

    internal static TaskDefinition Parse(string yaml, string path) =>
        Create(SettingsFile.Parse<TaskKeys>(yaml, path, []), path);

    /// <summary>The task of a file's keys; <paramref name="source"/> stands for the file in messages.</summary>
    /// <exception cref="SettingsException">A key is missing, or its value is not allowed.</exception>
    /// <exception cref="DataFileException">The wording names a field that the task does not have.</exception>
    internal static TaskDefinition Create(TaskKeys keys, string source)
    {
        if (FindProblem(keys) is { } problem)
        {
            throw new SettingsException($"{source}: {problem}");
        }

        var task = new LampTask
        {
            Name = keys.Name,
            BenchmarkId = keys.Benchmark ?? keys.Name,
            InputFields = keys.InputFields,
            OutputField = keys.OutputField,
            Outcome = keys.Outcome,
            MaxNewTokens = keys.MaxNewTokens,
            RepetitionPenalty = keys.RepetitionPenalty,
            AnswerLabels = keys.AnswerLabels,
            Labels = keys.Labels,
            SingleLineAnswer = keys.SingleLineAnswer,
        };
        return new TaskDefinition(task, PromptFile.CreateTemplate(keys, task, source));
    }

    static string? FindProblem(TaskKeys keys)
    {
        if (keys.Name.Length == 0)
        {
            return "'name' is missing; name the task, which is also the name of its data folder, "
                + "for example name: my_mails";
        }

        if (!IsFolderName(keys.Name))
        {
            return $"'name' is '{keys.Name}'; it is also the name of a folder, so use letters, digits, '_' and '-'";
        }

        if (keys.Benchmark is { } benchmark && !FileName.IsPlain(benchmark))
        {
            return $"'benchmark' is '{benchmark}'; it is also the name of a file in the zip of 'cope export', so use "
                + FileName.Expected;
        }

        if (keys.OutputField.Length == 0)
        {
            return "'output_field' is missing; name the field of a history item that the user wrote, "
                + "for example output_field: text";
        }

        if (keys.InputFields.Contains(keys.OutputField))
        {
            return $"'input_fields' holds the output field '{keys.OutputField}': "
                + "a prompt that holds the answer gives it away";
        }

        if (keys.Labels.Count > 0 && keys.Outcome != TaskOutcome.Category)
        {
            return "'labels' lists the answers there are, but the outcome is no category: "
                + "leave 'labels' out, or set outcome: category";
        }

        if (keys.History.Length == 0)
        {
            return "'history' is missing; word the request for a history item, "
                + "for example history: \"Write about: {topic}\"";
        }

        return null;
    }

    static bool IsFolderName(string name) =>
        name[0] != '.' && name.All(letter => char.IsLetterOrDigit(letter) || letter is '_' or '-' or '.');
}

/// <summary>The keys of a task file, in snake case: <c>input_fields</c>, <c>max_new_tokens</c>.</summary>
sealed record TaskKeys : IPromptKeys
{
    /// <summary>Name, which is also the name of the data folder.</summary>
    public string Name { get; init; } = "";

    /// <summary>The benchmark's own identifier; null takes the name.</summary>
    public string? Benchmark { get; init; }

    /// <summary>Fields of a history item that make the input.</summary>
    public IReadOnlyList<string> InputFields { get; init; } = [];

    /// <summary>The field that the user wrote.</summary>
    public string OutputField { get; init; } = "";

    /// <summary>What is asked for, which decides the metrics.</summary>
    public TaskOutcome Outcome { get; init; }

    /// <summary>Most tokens to generate.</summary>
    [Range(1, int.MaxValue)]
    public int MaxNewTokens { get; init; } = 100;

    /// <summary>Repetition penalty; 1 is none.</summary>
    [Range(0, 10, MinimumIsExclusive = true)]
    public double RepetitionPenalty { get; init; } = 1;

    /// <summary>Words a model may put before its answer.</summary>
    public IReadOnlyList<string> AnswerLabels { get; init; } = [];

    /// <summary>Every answer there is, of a task whose outcome is a category.</summary>
    public IReadOnlyList<string> Labels { get; init; } = [];

    /// <summary>Whether an answer is one line.</summary>
    public bool SingleLineAnswer { get; init; }

    /// <summary>System text.</summary>
    public string? System { get; init; }

    /// <summary>Wording of a history item.</summary>
    public string History { get; init; } = "";

    /// <summary>Wording of a query.</summary>
    public string Query { get; init; } = "{input}";

    /// <summary>Wording of an item with the user's own answer, for prompts that show the history.</summary>
    public string? Example { get; init; }

    /// <summary>Wording of a request behind such items.</summary>
    public string? Examples { get; init; }

    /// <summary>Wording of the request for a description of the user.</summary>
    public string? Summary { get; init; }

    /// <summary>Wording of a request behind that description.</summary>
    public string? Profile { get; init; }
}
