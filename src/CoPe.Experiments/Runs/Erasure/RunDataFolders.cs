using CoPe.Experiments.Data;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Runs.Erasure;

/// <summary>
/// The data folders of a run: the one that it reads, wherever it lies, and the one in the run's own folder, which is
/// the run's whatever it reads.
/// </summary>
sealed class RunDataFolders
{
    readonly RunDirectory _run;

    /// <summary>Finds them; nothing is read yet but the task file.</summary>
    public RunDataFolders(StageContext context)
    {
        _run = context.Run;
        var (inputs, hasOwn) = (context.Inputs, Directory.Exists(_run.Data));
        if (inputs.Missing.HasFlag(InputKinds.Data))
        {
            Missing = inputs.Data;
        }

        if (inputs.Missing.HasFlag(InputKinds.Task))
        {
            Missing ??= hasOwn ? _run.Data : null;
            return;
        }

        var task = TaskFile.Read(inputs.TaskPath).Task;
        Main = Missing is null ? new(inputs.Data, task) : null;
        var own = hasOwn ? LampFiles.FindTaskFolder(_run.Data, task.Name) : null;
        if (own is not null && (Main is null || !RealPath.AreSame(Main.Folder, own)))
        {
            InRun = new(own, task);
        }
    }

    /// <summary>A folder that cannot be looked into; null where all can.</summary>
    public string? Missing { get; }

    /// <summary>The data that the run reads; null where their folder is missing.</summary>
    public UserDataFiles? Main { get; }

    /// <summary>Other data in the run's own folder, which it does not read now; null where there are none.</summary>
    public UserDataFiles? InRun { get; }

    /// <summary>Those that users are erased from.</summary>
    /// <param name="isElsewhereToo">Also where they lie outside the run's folder.</param>
    public IEnumerable<UserDataFiles> Select(bool isElsewhereToo) =>
        ((UserDataFiles?[])[Main, InRun]).OfType<UserDataFiles>().Where(data => isElsewhereToo || IsInRun(data));

    /// <summary>Whether data really lie in the run's folder, whatever links lead there.</summary>
    public bool IsInRun(UserDataFiles data) => RealPath.IsWithin(data.Folder, _run.Root);
}
