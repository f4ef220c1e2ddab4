using CoPe.Experiments.Settings;

namespace CoPe.Experiments.Tasks;

/// <summary>
/// Reads prompt files, which word a task otherwise than its task file does: one YAML file a task, with the keys
/// <c>history</c> and <c>query</c>, and if wanted <c>system</c> and those of <see cref="InContextWording"/>.
/// </summary>
public static class PromptFile
{
    /// <summary>Reads <c>folder/task-name.yaml</c>.</summary>
    /// <exception cref="SettingsException">The file is not YAML, has an unknown key, or lacks one.</exception>
    /// <exception cref="DataFileException">
    /// The file is missing, or the wording names a field that the task does not have.
    /// </exception>
    public static PromptTemplate Read(string folder, LampTask task)
    {
        ArgumentNullException.ThrowIfNull(task);
        var path = Path.Combine(folder, task.Name + ".yaml");
        if (!File.Exists(path))
        {
            throw new DataFileException(
                new() { File = path },
                "no such file",
                $"the wording of task {task.Name}",
                "Put the file there, or use the shipped prompts."
            );
        }

        return Parse(YamlText.ReadFile(path), path, task);
    }

    /// <summary>
    /// The wording that CoPe ships for a task: that of <c>tasks/task-name.yaml</c> as it was at the build.
    /// </summary>
    public static PromptTemplate LoadShipped(LampTask task)
    {
        ArgumentNullException.ThrowIfNull(task);
        return TaskFile.LoadShipped(task.Name).Template;
    }

    internal static PromptTemplate Parse(string yaml, string path, LampTask task)
    {
        var keys = SettingsFile.Parse<PromptKeys>(yaml, path, []);
        if (keys.History.Length == 0)
        {
            throw new SettingsException($"{path}: 'history' is missing; word the request for a history item");
        }

        if (keys.Query.Length == 0)
        {
            throw new SettingsException($"{path}: 'query' is missing; word a query, for example query: \"{{input}}\"");
        }

        return CreateTemplate(keys, task, path);
    }

    /// <summary>A task's wording from the keys of its file; <paramref name="path"/> is the file for messages.</summary>
    /// <exception cref="DataFileException">A text names a field that the task does not have.</exception>
    internal static PromptTemplate CreateTemplate(IPromptKeys keys, LampTask task, string path)
    {
        var location = new DataFileLocation { File = path };
        try
        {
            var template = new PromptTemplate
            {
                Task = task,
                System = keys.System,
                History = keys.History,
                Query = keys.Query,
                InContext = new()
                {
                    Example = keys.Example,
                    Examples = keys.Examples,
                    Summary = keys.Summary,
                    Profile = keys.Profile,
                },
            };
            CheckPlaceholders(template, location);
            return template;
        }
        catch (FormatException error)
        {
            throw new DataFileException(location, error.Message, "names in braces", "Correct the wording.", error);
        }
    }

    static void CheckPlaceholders(PromptTemplate template, DataFileLocation location)
    {
        foreach (var (key, name) in template.Placeholders)
        {
            var known = GetKnownPlaceholders(key, template.Task);
            if (!known.Contains(name))
            {
                throw CreatePlaceholderError(location with { Field = key }, name, known, template.Task);
            }
        }
    }

    static DataFileException CreatePlaceholderError(
        DataFileLocation location,
        string name,
        IReadOnlyList<string> known,
        LampTask task
    )
    {
        var found = $"the name {{{name}}}";
        if (name == task.OutputField)
        {
            const string Advice = "That field is the answer itself: a prompt that holds it gives it away.";
            return new DataFileException(location, found, DescribePlaceholders(known), Advice);
        }

        var advice = known.Count == 0 ? "Take it out." : $"The nearest is {{{NearestName.FindNearest(name, known)}}}.";
        return new DataFileException(location, found, DescribePlaceholders(known), advice);
    }

    static string DescribePlaceholders(IReadOnlyList<string> known) =>
        known.Count == 0
            ? "no name in braces: this task's history items have no input"
            : $"one of {string.Join(", ", known.Select(field => $"{{{field}}}"))}";

    static IReadOnlyList<string> GetKnownPlaceholders(string key, LampTask task) =>
        key switch
        {
            "query" => ["input"],
            "example" => [.. task.InputFields, task.OutputField],
            "examples" => ["examples", "request"],
            "summary" => ["examples"],
            "profile" => ["profile", "request"],
            _ => task.InputFields,
        };
}

/// <summary>The keys that word a task, in a task file and in a prompt file alike.</summary>
interface IPromptKeys
{
    /// <summary>System text.</summary>
    string? System { get; }

    /// <summary>Wording of a history item.</summary>
    string History { get; }

    /// <summary>Wording of a query.</summary>
    string Query { get; }

    /// <summary>Wording of an item with the user's own answer, for prompts that show the history.</summary>
    string? Example { get; }

    /// <summary>Wording of a request behind such items.</summary>
    string? Examples { get; }

    /// <summary>Wording of the request for a description of the user.</summary>
    string? Summary { get; }

    /// <summary>Wording of a request behind that description.</summary>
    string? Profile { get; }
}

/// <summary>The keys of a prompt file, in snake case.</summary>
sealed record PromptKeys : IPromptKeys
{
    public string? System { get; init; }
    public string History { get; init; } = "";
    public string Query { get; init; } = "";
    public string? Example { get; init; }
    public string? Examples { get; init; }
    public string? Summary { get; init; }
    public string? Profile { get; init; }
}
