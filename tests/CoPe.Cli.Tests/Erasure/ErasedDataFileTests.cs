using System.Text;
using System.Text.Json.Nodes;
using CoPe.Experiments.Runs.Erasure;
using CoPe.Experiments.Tasks;

namespace CoPe.Cli.Tests.Erasure;

/// <summary>What is left of data files from which a user was removed.</summary>
public sealed class ErasedDataFileTests : IDisposable
{
    readonly HandWrittenRuns _runs = new();

    public void Dispose() => _runs.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Removing_a_user_from_the_data_leaves_the_entries_of_others_as_they_are(bool isWide)
    {
        _runs.WriteData(isWide ? Encoding.Unicode : null);
        var data = new UserDataFiles(_runs.Folder.At("my-data/news_headline"), LampTasks.NewsHeadline);

        data.Remove(data.ReadUsers().First());

        Assert.Equal($"[ {HandWrittenRuns.Entry(2)}, {HandWrittenRuns.Entry(3)}]\n", File.ReadAllText(_runs.Users));
        var labels = File.ReadAllText(_runs.Labels);
        Assert.True(
            JsonNode.DeepEquals(
                JsonNode.Parse(
                    """
                    {"version": 1.0, "task": "LaMP_4", "golds": [
                      {"id": 21, "output": "The gold answer of u2", "by": "Zoë"},
                      {"id": 31, "output": "The gold answer of u3"}
                    ]}
                    """
                ),
                JsonNode.Parse(labels)
            ),
            labels
        );
        Assert.Contains("\"Zoë\"", labels, StringComparison.Ordinal);
        Assert.Contains("1.0", labels, StringComparison.Ordinal);
    }
}
