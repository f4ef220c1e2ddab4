using CoPe.Experiments.Runs;
using CoPe.Testing;

namespace CoPe.Experiments.Tests.Runs;

public sealed class TrainedUsersTests : IDisposable
{
    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Users_come_by_id_in_order_and_without_what_a_crash_left()
    {
        foreach (var name in (string[])["b", "a", "c.part"])
        {
            Directory.CreateDirectory(_folder.At($"run/sft/{name}"));
        }

        Assert.Equal(["a", "b"], TrainedUsers.List(new(_folder.At("run"))));
        _folder.Write("run/metrics/train-sft.jsonl", """{"user":"Ada L.","step":1}""" + "\n");
        Directory.CreateDirectory(new RunDirectory(_folder.At("run")).SftAdapter("Ada L."));
        Assert.Equal(["Ada L.", "a", "b"], TrainedUsers.List(new(_folder.At("run"))));
        Directory.CreateDirectory(new RunDirectory(_folder.At("run")).SftAdapter("Bob/1"));
        Assert.Equal(["Ada L.", "Bob/1", "a", "b"], TrainedUsers.List(new(_folder.At("run"))));
        Assert.Empty(TrainedUsers.List(new(_folder.At("nowhere"))));
    }
}
