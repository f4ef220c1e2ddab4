using CoPe.Data.Checking;
using CoPe.Data.Tasks;

namespace CoPe.Data.Importing;

/// <summary>Writes a task's files through the check: what a run would refuse, and every leak, is taken out and reported, so that what is written is fit for a run.</summary>
static class CheckedDataset
{
    /// <summary>Writes users as they come into <c>target/task/</c>, with the task file beside them.</summary>
    /// <exception cref="DataFileException">Nothing usable is left.</exception>
    public static CheckReport Write(string target, TaskDefinition definition, IEnumerable<LampUser> users, IEnumerable<LampUser> others, Action<int>? progress = null)
    {
        // Beside the target, so that a large set stays on the disk that was chosen for it.
        var folder = Directory.CreateDirectory(Path.Combine(target, definition.Task.Name)).FullName;
        var aside = Path.Combine(folder, ".unchecked");
        try
        {
            var (usersFile, othersFile) = (Path.Combine(aside, LampFiles.UsersFile), Path.Combine(aside, LampFiles.OthersFile));
            LampFileWriter.WriteUsers(usersFile, users);
            LampFileWriter.WriteUsers(othersFile, others);
            var report = DataCheck.Run(new() { Definition = definition, Users = usersFile, Others = othersFile, Fix = target, Progress = progress });
            foreach (var file in report.Files.Where(file => file.Users == 0))
                throw new DataFileException(new() { File = folder }, $"no usable user for {Path.GetFileName(file.File)}", "test users and other users", "More authors or more texts are needed; 'cope personalize' takes the texts of one person.");
            Runs.AtomicFile.WriteText(Path.Combine(folder, TaskFile.BesideData), TaskFile.ToYaml(definition));
            return report;
        }
        finally
        {
            if (Directory.Exists(aside)) Directory.Delete(aside, recursive: true);
        }
    }
}
