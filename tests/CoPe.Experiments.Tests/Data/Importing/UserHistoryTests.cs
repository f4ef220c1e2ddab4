using CoPe.Experiments.Data.Importing;
using CoPe.Experiments.Tasks;
using CoPe.Testing;

namespace CoPe.Experiments.Tests.Data.Importing;

public sealed class UserHistoryTests
{
    [Theory]
    [InlineData("ann.json")]
    [InlineData("ann.jsonl")]
    [InlineData("ann.csv")]
    public void A_history_that_is_no_text_is_refused_with_file_and_line(string name)
    {
        using var folder = new TemporaryFolder();
        var file = folder.At(name);
        File.WriteAllBytes(file, [.. "[\n{\"text\": \""u8, 0xF2, .. "\"}]"u8]);

        var error = Assert.Throws<DataFileException>(() =>
            UserHistory.Read(file, LampTasks.NewsHeadline, name: null, _ => { })
        );
        Assert.Equal((file, 2), (error.Location.File, error.Location.Line));
    }
}
