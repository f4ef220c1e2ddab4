using System.Text;
using CoPe.Experiments.Data;
using CoPe.Experiments.Data.Importing;
using CoPe.Experiments.Tasks;
using CoPe.Testing;

namespace CoPe.Experiments.Tests.Data.Importing;

/// <summary>A folder with a source to import, and what the import wrote.</summary>
public abstract class ImportTestBase : IDisposable
{
    private protected TemporaryFolder Folder { get; } = new();

    public void Dispose()
    {
        Folder.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Three authors: Ada with ten mails in no order of time, Bob and Eve with two.</summary>
    private protected static string Csv(Func<int, string> date) =>
        "who,when,subject,body\n"
        + string.Concat(
            Enumerable
                .Range(0, 10)
                .Select(i => (i * 3) % 10)
                .Select(day =>
                    $"Ada,{date(day)},\"topic {day}, first\",\"Dear all,\nthis is mail number {day} \"\"by Ada\"\".\"\n"
                )
        )
        + string.Concat(
            from name in (string[])["Bob", "Eve"]
            from day in (int[])[1, 2]
            select $"{name},{date(day)},topic of {name} {day},Short mail {day} by {name} alone\n"
        );

    private protected ImportOptions Options(string file, IdHasher? hash = null) =>
        new()
        {
            Source = Folder.At(file),
            TaskName = "mails",
            AuthorColumn = "who",
            DateColumn = "when",
            InputColumns = ["subject"],
            OutputColumn = "body",
            Target = Folder.At("out"),
            IdHasher = hash,
        };

    private protected ImportReport Import(string text, Encoding? encoding = null, IdHasher? hash = null)
    {
        File.WriteAllText(Folder.At("mails.csv"), text, encoding ?? new UTF8Encoding(false));
        return DataImport.Run(Options("mails.csv", hash));
    }

    private protected LampDataset Read() =>
        LampFiles.Read(Folder.At("out"), TaskFile.Read(Folder.At("out/mails/task.yaml")).Task);
}
