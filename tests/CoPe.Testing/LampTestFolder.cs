using System.Text;
using CoPe.Experiments.Data;
using CoPe.Experiments.Tasks;

namespace CoPe.Testing;

/// <summary>A folder of task files for one test, taken away afterwards.</summary>
public sealed class LampTestFolder : IDisposable
{
    public const string ValidUser =
        """{"user_id": 7, "user_name": "Ada", "profile": [{"id": 1, "text": "old text", "title": "Old"}, """
        + """{"id": "2", "text": "new text", "title": "New"}],"""
        + """ "query": [{"id": 3, "input": "Generate it", "gold": "Gold"}]}""";

    public string Path { get; } = Directory.CreateTempSubdirectory("cope-data-").FullName;

    public string TaskPath => System.IO.Path.Combine(Path, "news_headline");

    public void Dispose() => Directory.Delete(Path, recursive: true);

    public LampTestFolder WithFiles(
        string users,
        string? others = null,
        string? labels = null,
        Encoding? encoding = null
    )
    {
        Directory.CreateDirectory(TaskPath);
        Write(LampFiles.UsersFile, users, encoding);
        Write(LampFiles.OthersFile, others ?? $"[{ValidUser.Replace("7", "9")}]", encoding);
        if (labels is not null)
        {
            Write(LampFiles.LabelsFile, labels, encoding);
        }

        return this;
    }

    public LampDataset Read(LampReadOptions? options = null) => LampFiles.Read(Path, LampTasks.NewsHeadline, options);

    public DataFileException ReadError(LampReadOptions? options = null) =>
        Assert.Throws<DataFileException>(() => Read(options));

    void Write(string name, string text, Encoding? encoding) =>
        File.WriteAllText(System.IO.Path.Combine(TaskPath, name), text, encoding ?? new UTF8Encoding(false));
}
