using CoPe.Data.Checking;
using CoPe.Data.Tasks;

namespace CoPe.Data.Importing;

/// <summary>Writes a task's files through the check: what a run would refuse, and every leak, is taken out and reported, so that what is written is fit for a run.</summary>
/// <param name="target">Folder that gets the task's folder.</param>
/// <param name="definition">The task.</param>
/// <param name="progress">Told of the work.</param>
sealed class CheckedDataset(string target, TaskDefinition definition, DataProgress progress)
{
    int written;

    /// <summary>Writes users as they come, <paramref name="count"/> at most, with the task file beside them.</summary>
    /// <exception cref="DataFileException">Nothing usable is left.</exception>
    public CheckReport Write(IEnumerable<LampUser> users, IEnumerable<LampUser> others, int count)
    {
        // Beside the target, so that a large set stays on the disk that was chosen for it.
        var folder = Directory.CreateDirectory(Path.Combine(target, definition.Task.Name)).FullName;
        var aside = Path.Combine(folder, ".unchecked");
        try
        {
            var (usersFile, othersFile) = (Path.Combine(aside, LampFiles.UsersFile), Path.Combine(aside, LampFiles.OthersFile));
            LampFileWriter.WriteUsers(usersFile, Told(users, count));
            LampFileWriter.WriteUsers(othersFile, Told(others, count));
            var report = DataCheck.Run(new() { Definition = definition, Users = usersFile, Others = othersFile, Fix = target, Progress = progress.Listener, Cancellation = progress.Cancellation });
            foreach (var file in report.Files.Where(file => file.Users == 0))
                throw new DataFileException(new() { File = folder }, $"no usable user for {Path.GetFileName(file.File)}{TakenOut(report)}", "test users and other users", "More authors or more texts are needed; 'cope personalize' takes the texts of one person.");
            AtomicFile.WriteText(Path.Combine(folder, TaskFile.BesideData), TaskFile.ToYaml(definition));
            return report;
        }
        finally
        {
            if (Directory.Exists(aside)) Directory.Delete(aside, recursive: true);
        }
    }

    IEnumerable<LampUser> Told(IEnumerable<LampUser> users, int count)
    {
        foreach (var user in users)
        {
            progress.Tell("write", ++written, count, "users");
            yield return user;
        }
    }

    /// <summary>What the check took out, and the first place of each kind.</summary>
    static string TakenOut(CheckReport report)
    {
        var kinds = report.Findings.Rules.Where(rule => rule.Severity == CheckSeverity.Error && rule != CheckRules.NoUser).Select(rule =>
        {
            var first = report.Findings.Of(rule)[0];
            return $"{report.Findings.CountOf(rule)} x {rule.Name}, first {first with { Place = first.Place with { File = Path.GetFileName(first.Place.File) } }}";
        });
        return string.Join("; ", kinds) is { Length: > 0 } listed ? $" (taken out: {listed})" : "";
    }
}
