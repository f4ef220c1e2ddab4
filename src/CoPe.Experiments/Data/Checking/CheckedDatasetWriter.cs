using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data.Checking;

/// <summary>
/// Writes a task's files through the check: whatever a run would refuse, and every leak, is removed and reported, so
/// that what is written is fit for a run.
/// </summary>
/// <param name="target">Folder that gets the task's folder.</param>
/// <param name="definition">The task.</param>
/// <param name="progress">Receives the progress of the work.</param>
sealed class CheckedDatasetWriter(string target, TaskDefinition definition, DataProgress progress)
{
    int _written;

    /// <summary>
    /// Where the texts of a task's folder lie until they are checked; a process that was killed leaves them there.
    /// </summary>
    public static string GetUncheckedFolder(string folder) => Path.Combine(folder, ".unchecked");

    /// <summary>What a command that was killed has left in a task's folder, in words; null for nothing.</summary>
    public static string? FindLeft(string folder) =>
        GetUncheckedFolder(folder) is var left && Directory.Exists(left)
            ? $"{left} holds texts that a killed import has left: delete it, or import again"
            : null;

    /// <summary>Whether there are other users, whose queries train the task-adaptive model.</summary>
    public bool HasOthers { get; init; } = true;

    /// <summary>Writes users as they come, <paramref name="count"/> at most, with the task file beside them.</summary>
    /// <exception cref="DataFileException">Nothing usable is left.</exception>
    public CheckReport Write(IEnumerable<LampUser> users, IEnumerable<LampUser> others, int count)
    {
        // Beside the target, so that a large set stays on the disk that was chosen for it.
        var folder = Directory.CreateDirectory(Path.Combine(target, definition.Task.Name)).FullName;
        var aside = GetUncheckedFolder(folder);
        try
        {
            var usersFile = Path.Combine(aside, LampFiles.UsersFile);
            var othersFile = Path.Combine(aside, LampFiles.OthersFile);
            LampFileWriter.WriteUsers(usersFile, ReportWritten(users, count));
            LampFileWriter.WriteUsers(othersFile, ReportWritten(others, count));
            var report = DataCheck.Run(
                new()
                {
                    Definition = definition,
                    UsersFile = usersFile,
                    OthersFile = HasOthers ? othersFile : null,
                    CleanCopyFolder = target,
                    Progress = progress.Listener,
                    CancellationToken = progress.Cancellation,
                }
            );
            foreach (var file in report.Files.Where(file => file.Users == 0))
            {
                throw new DataFileException(
                    new() { File = folder },
                    $"no usable user for {Path.GetFileName(file.File)}{DescribeRemovals(report)}",
                    "test users and other users",
                    "More authors or more texts are needed; 'cope personalize' takes the texts of one person."
                );
            }

            if (!HasOthers)
            {
                LampFileWriter.WriteUsers(Path.Combine(folder, LampFiles.OthersFile), []);
            }

            AtomicFile.WriteText(Path.Combine(folder, TaskFile.DefaultName), TaskFile.ToYaml(definition));
            return report;
        }
        finally
        {
            if (Directory.Exists(aside))
            {
                Directory.Delete(aside, recursive: true);
            }
        }
    }

    IEnumerable<LampUser> ReportWritten(IEnumerable<LampUser> users, int count)
    {
        foreach (var user in users)
        {
            progress.Report("write", ++_written, count, "users");
            yield return user;
        }
    }

    /// <summary>What the check removed, with the first finding of each rule.</summary>
    static string DescribeRemovals(CheckReport report)
    {
        var removals = report
            .Findings.Rules.Where(rule => rule.Severity == CheckSeverity.Error && rule != CheckRules.NoUser)
            .Select(rule => DescribeFirst(report.Findings, rule))
            .ToList();
        return removals.Count == 0 ? "" : $" (taken out: {string.Join("; ", removals)})";
    }

    static string DescribeFirst(CheckFindings findings, CheckRule rule)
    {
        var first = findings.FirstOf(rule)[0];
        var location = first.Location with { File = Path.GetFileName(first.Location.File) };
        return $"{findings.CountOf(rule)} x {rule.Name}, first {location}: {first.Detail}";
    }
}
