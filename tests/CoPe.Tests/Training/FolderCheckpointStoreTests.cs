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
}
