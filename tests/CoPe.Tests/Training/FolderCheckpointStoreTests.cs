using System.Security.Cryptography;
using System.Text;
using CoPe.Training;

namespace CoPe.Tests.Training;

public sealed class FolderCheckpointStoreTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("cope-checkpoint").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    static TrainingCheckpoint Checkpoint(long step) =>
        new()
        {
            Fingerprint = new Dictionary<string, string> { ["options"] = "ab" },
            Step = step,
            Users = "[]",
            Arrays = new Dictionary<string, float[]> { ["weights"] = [step, float.NaN], ["best"] = [] },
        };

    [Fact]
    public void What_was_saved_is_loaded_and_only_the_last_is_kept()
    {
        var store = new FolderCheckpointStore(Path.Combine(_folder, "state"));
        Assert.Null(store.Load());
        store.Save(Checkpoint(1));
        store.Save(Checkpoint(2));
        var loaded = store.Load()!;
        Assert.Equal(2, loaded.Step);
        Assert.Equal("ab", loaded.Fingerprint["options"]);
        Assert.Equal([2f, float.NaN], loaded.Arrays["weights"]);
        Assert.Single(Directory.GetDirectories(Path.Combine(_folder, "state")));
        store.Clear();
        Assert.Null(store.Load());
    }

    [Fact]
    public void A_damaged_or_unfinished_checkpoint_is_no_checkpoint()
    {
        var store = new FolderCheckpointStore(_folder);
        store.Save(Checkpoint(1));
        var saved = Directory.GetDirectories(_folder)[0];
        Directory.CreateDirectory(Path.Combine(_folder, "state-7.part"));
        Assert.Equal(1, store.Load()!.Step);
        File.AppendAllText(Path.Combine(saved, "arrays.bin"), "x");
        Assert.Null(store.Load());
        store.Save(Checkpoint(2));
        Assert.Equal(2, store.Load()!.Step);
    }

    [Fact]
    public void Whichever_file_operation_fails_a_whole_checkpoint_stays()
    {
        var store = new FolderCheckpointStore(_folder);
        store.Save(Checkpoint(1));
        var failed = true;
        for (var operation = 1; failed && operation < 50; operation++)
        {
            var count = 0;
            var before = store.Load()!.Step;
            failed = false;
            AtomicFile.BeforeOperation = name =>
            {
                if (++count == operation)
                {
                    throw new IOException($"no {name}");
                }
            };
            try
            {
                store.Save(Checkpoint(operation + 1));
            }
            catch (IOException)
            {
                failed = true;
            }
            finally
            {
                AtomicFile.BeforeOperation = null;
            }
            Assert.Contains(store.Load()!.Step, new long[] { before, operation + 1 });
        }
        Assert.False(failed);
        Assert.Single(Directory.GetDirectories(_folder));
    }

    [Theory]
    [InlineData("""[{"Name": "a", "Length": -1}]""", "has -1 numbers")]
    [InlineData("""[{"Name": "a", "Length": 2147483647}]""", "state.json lists arrays of 8,589,934,588")]
    [InlineData("""[{"Name": "a", "Length": 1}]""", "arrays.bin has 8 bytes; state.json lists arrays of 4")]
    [InlineData("""[{"Name": "a", "Length": 1}, {"Name": "a", "Length": 1}]""", "array 'a' stands twice")]
    [InlineData("""[{"Length": 2}]""", "lacks 'Name'")]
    [InlineData("[null]", "null")]
    [InlineData("null", "null")]
    public void Arrays_that_are_not_those_of_the_file_are_refused_though_the_hash_is_right(
        string arrays,
        string expected
    )
    {
        var folder = Path.Combine(_folder, "state-1");
        var state = Encoding.UTF8.GetBytes($$"""{"Fingerprint": {}, "Step": 1, "Users": "[]", "Arrays": {{arrays}}}""");
        var numbers = new byte[8];
        Directory.CreateDirectory(folder);
        File.WriteAllBytes(Path.Combine(folder, "state.json"), state);
        File.WriteAllBytes(Path.Combine(folder, "arrays.bin"), numbers);
        File.WriteAllText(
            Path.Combine(folder, "complete"),
            Convert.ToHexString(SHA256.HashData([.. state, .. numbers]))
        );
        var error = Assert.Throws<InvalidDataException>(() => new FolderCheckpointStore(_folder).Load());
        Assert.Contains(folder, error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }
}
