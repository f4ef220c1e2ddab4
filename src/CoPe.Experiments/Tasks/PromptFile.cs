using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace CoPe.Experiments.Tasks;

/// <summary>
/// Reads prompt files, which word a task otherwise than its task file does: one YAML file a task, with the keys
/// <c>history</c> and <c>query</c>, and if wanted <c>system</c> and those of <see cref="InContextWording"/>.
/// </summary>
public static class PromptFile
{
    static readonly string[] Keys = ["system", "history", "query", "example", "examples", "summary", "profile"];

    /// <summary>Reads <c>folder/task-name.yaml</c>.</summary>
    /// <exception cref="DataFileException">
    /// The file is missing, is no YAML mapping, or uses a key or a field that is not known.
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

        return Parse(File.ReadAllText(path), path, task);
    }

    /// <summary>
    /// The wording that CoPe ships for a task: that of <c>tasks/task-name.yaml</c> as it was at the build.
    /// </summary>
    public static PromptTemplate Shipped(LampTask task)
    {
        ArgumentNullException.ThrowIfNull(task);
        return TaskFile.LoadShipped(task.Name).Template;
    }

    internal static PromptTemplate Parse(string yaml, string path, LampTask task)
    {
        var place = new DataFileLocation { File = path };
        var entries = ReadEntries(yaml, place);
        var (history, query) = (GetRequired(entries, "history", place), GetRequired(entries, "query", place));
        return CreateChecked(
            path,
            () =>
                new()
                {
                    Task = task,
                    System = entries.GetValueOrDefault("system"),
                    History = history,
                    Query = query,
                    InContext = new()
                    {
                        Example = entries.GetValueOrDefault("example"),
                        Examples = entries.GetValueOrDefault("examples"),
                        Summary = entries.GetValueOrDefault("summary"),
                        Profile = entries.GetValueOrDefault("profile"),
                    },
                }
        );
    }

    /// <summary>A wording whose names in braces are known; <paramref name="path"/> is the file for messages.</summary>
    internal static PromptTemplate CreateChecked(string path, Func<PromptTemplate> word)
    {
        var place = new DataFileLocation { File = path };
        try
        {
            var template = word();
            CheckPlaceholders(template, place);
            return template;
        }
        catch (FormatException error)
        {
            throw new DataFileException(place, error.Message, "names in braces", "Correct the wording.", error);
        }
    }

    static void CheckPlaceholders(PromptTemplate template, DataFileLocation place)
    {
        foreach (var (key, name) in template.Placeholders)
        {
            var known = GetKnownPlaceholders(key, template.Task);
            if (known.Contains(name))
            {
                continue;
            }

            throw new DataFileException(
                place with
                {
                    Field = key,
                },
                $"the name {{{name}}}",
                known.Count == 0
                    ? "no name in braces: this task's history items have no input"
                    : $"one of {string.Join(", ", known.Select(field => $"{{{field}}}"))}",
                name == template.Task.OutputField
                        ? "That field is the answer itself: a prompt that holds it gives it away."
                    : known.Count == 0 ? "Take it out."
                    : $"The nearest is {{{NearestName.FindNearest(name, known)}}}."
            );
        }
    }

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

    static string GetRequired(Dictionary<string, string> entries, string key, DataFileLocation place) =>
        entries.TryGetValue(key, out var text)
            ? text
            : throw new DataFileException(
                place with
                {
                    Field = key,
                },
                entries.Count == 0 ? "no key" : $"only the keys {string.Join(", ", entries.Keys)}",
                "the wording under this key",
                "Add it."
            );

    static Dictionary<string, string> ReadEntries(string yaml, DataFileLocation place)
    {
        var entries = new Dictionary<string, string>();
        foreach (var (keyNode, valueNode) in ReadMapping(yaml, place))
        {
            var here = place with { Line = keyNode.Start.Line };
            var key = (keyNode as YamlScalarNode)?.Value ?? "";
            if (!Keys.Contains(key))
            {
                throw new DataFileException(
                    here,
                    $"the unknown key \"{key}\"",
                    $"one of {string.Join(", ", Keys)}",
                    $"The nearest is {NearestName.FindNearest(key, Keys)}."
                );
            }

            entries[key] =
                (valueNode as YamlScalarNode)?.Value
                ?? throw new DataFileException(
                    here with
                    {
                        Field = key,
                    },
                    "a list or a mapping",
                    "a text",
                    "Write the wording as one text."
                );
        }
        return entries;
    }

    static YamlMappingNode ReadMapping(string yaml, DataFileLocation place)
    {
        var stream = new YamlStream();
        try
        {
            stream.Load(new StringReader(yaml));
        }
        catch (YamlException error)
        {
            throw new DataFileException(
                place with
                {
                    Line = error.Start.Line,
                },
                $"no valid YAML ({error.Message})",
                "a mapping of keys to texts",
                "Correct the line.",
                error
            );
        }
        return stream.Documents is [{ RootNode: YamlMappingNode mapping }]
            ? mapping
            : throw new DataFileException(
                place,
                "no mapping",
                $"the keys {string.Join(", ", Keys)}",
                "See the shipped prompt files."
            );
    }
}
