using CoPe.Runs;

namespace CoPe.Tests.Runs;

public sealed class TrainedUsersTests : IDisposable
{
    readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Users_come_by_id_in_order_and_without_what_a_crash_left()
    {
        foreach (var name in (string[])["b", "a", "c.part"]) Directory.CreateDirectory(folder.At($"run/sft/{name}"));

        Assert.Equal(["a", "b"], TrainedUsers.Of(new(folder.At("run"))));
        folder.Write("run/metrics/train-sft.jsonl", """{"user":"Ada L.","step":1}""" + "\n");
        Directory.CreateDirectory(new RunDirectory(folder.At("run")).SftAdapter("Ada L."));
        Assert.Equal(["Ada L.", "a", "b"], TrainedUsers.Of(new(folder.At("run"))));
        Assert.Empty(TrainedUsers.Of(new(folder.At("nowhere"))));
    }
}
