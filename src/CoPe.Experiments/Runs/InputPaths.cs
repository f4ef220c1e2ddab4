using CoPe.Experiments.Data;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Runs;

/// <summary>
/// Where a recipe's model, data and task file really lie: a relative path is looked up from the current folder, then
/// beside the program.
/// </summary>
public sealed record InputPaths
{
    /// <summary>Files of a task, by the benchmark's names.</summary>
    static readonly (string Name, InputKinds Kind)[] TaskFiles =
    [
        (LampFiles.UsersFile, InputKinds.Users),
        (LampFiles.LabelsFile, InputKinds.Users),
        (LampFiles.OthersFile, InputKinds.Others),
    ];

    /// <summary>The model folder.</summary>
    public required string Model { get; init; }

    /// <summary>The folder of the task's data files.</summary>
    public required string Data { get; init; }

    /// <summary>The task file.</summary>
    public required string TaskPath { get; init; }

    /// <summary>A prompt file whose wording takes the place of the task file's; null for none.</summary>
    public string? Prompt { get; init; }

    /// <summary>
    /// Finds them. <paramref name="roots"/> are searched in order for relative paths. Whether they are whole is for
    /// those who read them.
    /// </summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="roots">Folders in order.</param>
    /// <param name="findModel">
    /// Finds the folder of the recipe's model, which may be named otherwise than by a path; null takes it for a path.
    /// Called last, for it may take long.
    /// </param>
    /// <exception cref="RunException">One is not there.</exception>
    public static InputPaths Find(Recipe recipe, IReadOnlyList<string> roots, Func<string, string>? findModel = null)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        var data = FindFolder(
            recipe.Data,
            roots,
            "data",
            "name the folder that holds a folder per task: --set data=FOLDER"
        );
        var taskFile = FindTask(recipe.Task, roots);
        var name = TaskFile.IsPath(recipe.Task) ? TaskFile.Read(taskFile).Task.Name : recipe.Task;
        var task = FindTaskFolder(data, name);
        if (!Directory.Exists(task))
        {
            throw new RunException(
                $"data folder {data} holds no folder '{name}'{NearestName.Hint(name, Directory.EnumerateDirectories(data).Select(folder => Path.GetFileName(folder)!))}; expected {string.Join(", ", TaskFiles.Select(file => file.Name))} in it"
            );
        }

        var prompt = recipe.Prompts is { } prompts
            ? FindPrompt(
                FindFolder(
                    prompts,
                    roots,
                    "prompts",
                    "name a folder with a prompt file per task, or leave the key out for the task's own wording"
                ),
                name
            )
            : null;
        findModel ??= model =>
            FindFolder(model, roots, "model", "name a model folder in Hugging Face layout: --set model=FOLDER");
        return new()
        {
            Data = task,
            TaskPath = taskFile,
            Prompt = prompt,
            Model = findModel(recipe.Model),
        };
    }

    /// <summary>
    /// Finds what is left of them, for work that can do without: what is gone is named where it would lie, and
    /// <see cref="Missing"/> tells.
    /// </summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="roots">Folders in order.</param>
    /// <param name="findModel">
    /// Finds the folder of the recipe's model; where it throws a <see cref="RunException"/>, the model is gone.
    /// </param>
    /// <exception cref="RunException">
    /// The data are there and the task file is not, so that they cannot be read.
    /// </exception>
    public static InputPaths FindAvailable(Recipe recipe, IReadOnlyList<string> roots, Func<string, string> findModel)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(roots);
        ArgumentNullException.ThrowIfNull(findModel);
        string Nowhere(string path) => Path.GetFullPath(Path.Combine(roots[0], path));
        var folder = TryFind(() => FindFolder(recipe.Data, roots, "data", ""));
        var taskFile = folder is not null
            ? FindTask(recipe.Task, roots)
            : TryFind(() => FindTask(recipe.Task, roots)) ?? Nowhere(recipe.Task);
        var name =
            !TaskFile.IsPath(recipe.Task) ? recipe.Task
            : File.Exists(taskFile) ? TaskFile.Read(taskFile).Task.Name
            : "";
        return new()
        {
            Data = folder is null ? Nowhere(recipe.Data) : FindTaskFolder(folder, name),
            TaskPath = taskFile,
            Prompt = recipe.Prompts is { } prompts
                ? Path.Combine(
                    TryFind(() => FindFolder(prompts, roots, "prompts", "")) ?? Nowhere(prompts),
                    name + ".yaml"
                )
                : null,
            Model = TryFind(() => findModel(recipe.Model)) ?? Nowhere(recipe.Model),
        };
    }

    static string? TryFind(Func<string> find)
    {
        try
        {
            return find();
        }
        catch (RunException)
        {
            return null;
        }
    }

    /// <summary>The folder of a task within the data folder, or that itself where it holds the task's files.</summary>
    static string FindTaskFolder(string data, string name)
    {
        var task = Path.Combine(data, name);
        return !Directory.Exists(task) && TaskFiles.Any(file => File.Exists(Path.Combine(data, file.Name)))
            ? data
            : task;
    }

    /// <summary>
    /// Kinds of files that are not there. Only those that <see cref="FindAvailable"/> found may lack any.
    /// </summary>
    public InputKinds Missing =>
        (Directory.Exists(Model) ? InputKinds.None : InputKinds.Model)
        | (Directory.Exists(Data) ? InputKinds.None : InputKinds.Data)
        | (File.Exists(TaskPath) && (Prompt is null || File.Exists(Prompt)) ? InputKinds.None : InputKinds.Task);

    /// <summary>The kind of a file by its name as <see cref="ListFiles"/> gives it.</summary>
    internal static InputKinds KindOf(string name) =>
        name.Split(' ')[0] switch
        {
            "model" => InputKinds.Model,
            "data" => TaskFiles.First(file => name == "data " + file.Name).Kind,
            "task" or "prompt" => InputKinds.Task,
            _ => InputKinds.None,
        };

    /// <summary>The file of a task, named by path, or by bare name where it is shipped.</summary>
    /// <exception cref="RunException">There is none.</exception>
    public static string FindTask(string task, IReadOnlyList<string> roots)
    {
        ArgumentNullException.ThrowIfNull(task);
        var file = TaskFile.IsPath(task) ? task : Path.Combine("tasks", task + ".yaml");
        return roots.Select(root => Path.GetFullPath(Path.Combine(root, file))).FirstOrDefault(File.Exists)
            ?? throw new RunException(
                $"task file {file} does not exist (looked in {string.Join(" and ", roots)}): write one, or name a shipped task ({string.Join(", ", LampTasks.All.Select(known => known.Name))})"
            );
    }

    static string FindPrompt(string folder, string name)
    {
        var prompt = Path.Combine(folder, name + ".yaml");
        return File.Exists(prompt)
            ? prompt
            : throw new RunException(
                $"prompt file {prompt} does not exist: write one, or name another folder with --set prompts=FOLDER"
            );
    }

    /// <summary>Files of the kinds named, by a name that does not depend on where they lie.</summary>
    public IEnumerable<(string Name, string Path)> ListFiles(InputKinds kinds)
    {
        if (kinds.HasFlag(InputKinds.Model))
        {
            foreach (var file in Directory.EnumerateFiles(Model).Where(IsModelFile).Order(StringComparer.Ordinal))
            {
                yield return ("model " + Path.GetFileName(file), file);
            }
        }

        foreach (
            var file in TaskFiles.Where(file => kinds.HasFlag(file.Kind) && File.Exists(Path.Combine(Data, file.Name)))
        )
        {
            yield return ("data " + file.Name, Path.Combine(Data, file.Name));
        }

        if (!kinds.HasFlag(InputKinds.Task))
        {
            yield break;
        }

        yield return ("task " + Path.GetFileName(TaskPath), TaskPath);
        if (Prompt is not null)
        {
            yield return ("prompt " + Path.GetFileName(Prompt), Prompt);
        }
    }

    static bool IsModelFile(string file) => Path.GetExtension(file) is ".json" or ".safetensors" or ".jinja";

    static string FindFolder(string path, IReadOnlyList<string> roots, string what, string hint) =>
        roots.Select(root => Path.GetFullPath(Path.Combine(root, path))).FirstOrDefault(Directory.Exists)
        ?? throw new RunException(
            $"{what} folder {path} does not exist (looked in {string.Join(" and ", roots)}): {hint}"
        );
}

/// <summary>Kinds of files a stage reads, whose content is part of its inputs.</summary>
[Flags]
public enum InputKinds
{
    /// <summary>None but other stages' outputs.</summary>
    None = 0,

    /// <summary>The model folder.</summary>
    Model = 1,

    /// <summary>The test users' histories, queries and golds.</summary>
    Users = 2,

    /// <summary>The task file, and the prompt file where the recipe names one.</summary>
    Task = 4,

    /// <summary>The other users' queries.</summary>
    Others = 8,

    /// <summary>The task's data files.</summary>
    Data = Users | Others,

    /// <summary>All of them.</summary>
    All = Model | Users | Task | Others,
}
