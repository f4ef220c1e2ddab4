using CoPe.Experiments.Data;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Tasks;
using CoPe.Gguf;

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

    /// <summary>
    /// Folder of the task-adaptive model's adapter where it was made elsewhere, whether it is there or not: it is read
    /// once, and copied.
    /// </summary>
    public string? TamAdapter { get; init; }

    /// <summary>Folder of the users' adapters where they were made elsewhere, whether it is there or not.</summary>
    public string? UserAdapters { get; init; }

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
        var data = FindFolder(recipe.Data, roots, "data");
        var taskPath = FindTask(recipe.Task, roots);
        var name = TaskFile.IsPath(recipe.Task) ? TaskFile.Read(taskPath).Task.Name : recipe.Task;
        var task = LampFiles.FindTaskFolder(data, name) ?? throw CreateNoTaskError(data, name);
        findModel ??= model => FindModel(model, roots);
        return new()
        {
            Data = task,
            TaskPath = taskPath,
            Prompt = recipe.Prompts is { } prompts ? FindPrompt(prompts, name, roots) : null,
            TamAdapter = recipe.UsesBaseAsTam ? null : FindAdapters(recipe.Tam.Adapter, roots),
            UserAdapters = FindAdapters(recipe.UserAdapters, roots),
            Model = findModel(recipe.Model),
        };
    }

    /// <summary>
    /// Finds those that are available, for work that can do without the others: what is missing is named where it would
    /// lie, and <see cref="Missing"/> tells.
    /// </summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="roots">Folders in order.</param>
    /// <param name="findModel">
    /// Finds the folder of the recipe's model; where it throws a <see cref="RunException"/>, the model is missing. Null
    /// takes it for a path.
    /// </param>
    /// <exception cref="RunException">
    /// The data are there and the task file is not, so that they cannot be read.
    /// </exception>
    public static InputPaths FindAvailable(
        Recipe recipe,
        IReadOnlyList<string> roots,
        Func<string, string>? findModel = null
    )
    {
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(roots);
        findModel ??= model => FindModel(model, roots);
        string Expect(string path) => Path.GetFullPath(Path.Combine(roots[0], path));
        var data = TryFind(() => FindFolder(recipe.Data, roots, "data"));
        var taskPath = data is not null
            ? FindTask(recipe.Task, roots)
            : TryFind(() => FindTask(recipe.Task, roots)) ?? Expect(recipe.Task);
        var name = ReadTaskName(recipe.Task, taskPath);
        var taskFolder = data is null ? null : LampFiles.FindTaskFolder(data, name) ?? Path.Combine(data, name);
        string? prompt = null;
        if (recipe.Prompts is { } prompts)
        {
            var folder = TryFind(() => FindFolder(prompts, roots, "prompts")) ?? Expect(prompts);
            prompt = Path.Combine(folder, name + ".yaml");
        }

        return new()
        {
            Data = taskFolder ?? Expect(recipe.Data),
            TaskPath = taskPath,
            Prompt = prompt,
            TamAdapter = recipe.UsesBaseAsTam ? null : FindAdapters(recipe.Tam.Adapter, roots),
            UserAdapters = FindAdapters(recipe.UserAdapters, roots),
            Model = TryFind(() => findModel(recipe.Model)) ?? Expect(recipe.Model),
        };
    }

    /// <summary>The name of a recipe's task; empty where its file is missing.</summary>
    static string ReadTaskName(string task, string path)
    {
        if (!TaskFile.IsPath(task))
        {
            return task;
        }

        return File.Exists(path) ? TaskFile.Read(path).Task.Name : "";
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

    static RunException CreateNoTaskError(string data, string name)
    {
        var folders = Directory.EnumerateDirectories(data).Select(folder => Path.GetFileName(folder)!);
        var files = string.Join(", ", TaskFiles.Select(file => file.Name));
        return new(
            $"data folder {data} holds no folder '{name}'{NearestName.Hint(name, folders)}; expected {files} in it"
        );
    }

    /// <summary>
    /// Kinds of files that are not there. Only those that <see cref="FindAvailable"/> found may lack any.
    /// </summary>
    public InputKinds Missing
    {
        get
        {
            var missing = InputKinds.None;
            missing |= IsModel(Model) ? InputKinds.None : InputKinds.Model;
            missing |= Directory.Exists(Data) ? InputKinds.None : InputKinds.Data;
            missing |= File.Exists(TaskPath) ? InputKinds.None : InputKinds.Task;
            missing |= Prompt is null || File.Exists(Prompt) ? InputKinds.None : InputKinds.Prompt;
            return missing;
        }
    }

    /// <summary>The file of a task, named by path, or by bare name where it is shipped.</summary>
    /// <exception cref="RunException">There is none.</exception>
    public static string FindTask(string task, IReadOnlyList<string> roots)
    {
        ArgumentNullException.ThrowIfNull(task);
        var file = TaskFile.IsPath(task) ? task : Path.Combine("tasks", task + ".yaml");
        if (roots.Select(root => Path.GetFullPath(Path.Combine(root, file))).FirstOrDefault(File.Exists) is { } found)
        {
            return found;
        }

        var shipped = string.Join(", ", LampTasks.All.Select(known => known.Name));
        throw new RunException(
            $"task file {file} does not exist{DescribeLookup(file, roots)}: write one, "
                + $"or name a shipped task ({shipped})"
        );
    }

    static string? FindAdapters(string? folder, IReadOnlyList<string> roots)
    {
        if (folder is null)
        {
            return null;
        }

        var places = roots.Select(root => Path.GetFullPath(Path.Combine(root, folder))).ToList();
        return places.Find(Directory.Exists) ?? places[0];
    }

    static string FindPrompt(string prompts, string name, IReadOnlyList<string> roots)
    {
        var prompt = Path.Combine(FindFolder(prompts, roots, "prompts"), name + ".yaml");
        if (File.Exists(prompt))
        {
            return prompt;
        }

        throw new RunException(
            $"prompt file {prompt} does not exist: write one, or name another folder with --set prompts=FOLDER"
        );
    }

    /// <summary>Files of the kinds named.</summary>
    public IEnumerable<InputFile> ListFiles(InputKinds kinds)
    {
        List<InputFile> files = [];
        if (kinds.HasFlag(InputKinds.Model))
        {
            files.AddRange(ListModelFiles());
        }

        foreach (var (name, kind) in TaskFiles)
        {
            var path = Path.Combine(Data, name);
            if (kinds.HasFlag(kind) && File.Exists(path))
            {
                files.Add(new(kind, name, path));
            }
        }

        if (kinds.HasFlag(InputKinds.Task))
        {
            files.Add(new(InputKinds.Task, Path.GetFileName(TaskPath), TaskPath));
        }

        if (kinds.HasFlag(InputKinds.Prompt) && Prompt is not null)
        {
            files.Add(new(InputKinds.Prompt, Path.GetFileName(Prompt), Prompt));
        }

        return files;
    }

    /// <summary>Whether a path is that of a model: a folder, or a GGUF file.</summary>
    internal static bool IsModel(string path) =>
        Directory.Exists(path) || (GgufFile.IsNamed(path) && File.Exists(path));

    IEnumerable<InputFile> ListModelFiles() =>
        (Directory.Exists(Model) ? Directory.EnumerateFiles(Model).Where(IsModelFile) : [Model])
            .Order(StringComparer.Ordinal)
            .Select(file => new InputFile(InputKinds.Model, Path.GetFileName(file), file));

    static bool IsModelFile(string file) => Path.GetExtension(file) is ".json" or ".safetensors" or ".jinja";

    static string FindModel(string model, IReadOnlyList<string> roots) =>
        roots.Select(root => Path.GetFullPath(Path.Combine(root, model))).FirstOrDefault(IsModel)
        ?? FindFolder(model, roots, "model");

    /// <summary>The folder that a key of the recipe names.</summary>
    /// <exception cref="RunException">There is none.</exception>
    internal static string FindFolder(string path, IReadOnlyList<string> roots, string key)
    {
        var candidates = roots.Select(root => Path.GetFullPath(Path.Combine(root, path))).ToList();
        if (candidates.Find(Directory.Exists) is { } folder)
        {
            return folder;
        }

        var problem = candidates.Exists(File.Exists)
            ? $"{key} {path} is a file, expected a folder"
            : $"{key} folder {path} does not exist{DescribeLookup(path, roots)}";
        throw new RunException($"{problem}: {GetHint(key)}");
    }

    static string GetHint(string key) =>
        key switch
        {
            "data" => "name the folder that holds a folder per task: --set data=FOLDER",
            "model" => "name a model folder in Hugging Face layout: --set model=FOLDER",
            "prompts" => "name a folder with a prompt file per task, or leave the key out for the task's own wording",
            _ => $"name one with --set {key}=FOLDER",
        };

    /// <summary>In which folders a relative path was looked up; nothing for an absolute one.</summary>
    static string DescribeLookup(string path, IReadOnlyList<string> roots) =>
        Path.IsPathRooted(path) ? "" : $" (looked in {string.Join(" and ", roots.Distinct())})";
}
