using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Runs;

/// <summary>
/// Turns what a person typed, relative to the folder they are in, into what a run can remember: an absolute path, or a
/// name that is found beside the program from anywhere.
/// </summary>
/// <param name="run">The run.</param>
/// <param name="roots">Folders in which relative paths are looked up: the person's, then the program's.</param>
/// <param name="isTyped">Whether the value of a key was typed rather than remembered.</param>
/// <param name="resolveModel">The same for a model, which may be named otherwise than by a path.</param>
sealed class TypedPaths(
    RunDirectory run,
    IReadOnlyList<string> roots,
    Func<string, bool> isTyped,
    Func<string, string> resolveModel
)
{
    /// <summary>The recipe with its paths absolute or names.</summary>
    /// <exception cref="RunException">What was typed is not there.</exception>
    public Recipe Resolve(Recipe recipe)
    {
        var resolved = RecipePaths.Map(
            recipe,
            (key, path) => isTyped(key) ? Path.TrimEndingDirectorySeparator(Resolve(key, path)) : path
        );
        return isTyped("task") && !TaskFile.IsPath(recipe.Task)
            ? resolved with
            {
                Task = ResolveTaskName(recipe.Task),
            }
            : resolved;
    }

    string Resolve(string key, string path)
    {
        if (key == "model")
        {
            return resolveModel(path);
        }

        if (key == "task")
        {
            return InputPaths.FindTask(path, roots);
        }

        // What a command is about to write into the run need not be there yet, nor what the run has copied.
        var here = Path.GetFullPath(path, roots[0]);
        if (RealPath.IsWithin(here, run.Root))
        {
            return here;
        }

        return key is "data" or "prompts"
            ? InputPaths.FindFolder(path, roots, key)
            : roots.Select(root => Path.GetFullPath(path, root)).FirstOrDefault(Directory.Exists) ?? here;
    }

    /// <summary>The name of a shipped task, or its file where the person has their own under that name.</summary>
    string ResolveTaskName(string task)
    {
        var files = roots.Select(root => Path.GetFullPath(Path.Combine(root, "tasks", task + ".yaml"))).ToList();
        var own = files.FirstOrDefault(File.Exists);
        var shipped = files.Skip(1).FirstOrDefault(File.Exists);
        return own is null || shipped is null || File.ReadAllText(own) == File.ReadAllText(shipped) ? task : own;
    }
}
