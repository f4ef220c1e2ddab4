using CoPe.Testing;

namespace CoPe.Tests;

public sealed class AtomicFileTests : IDisposable
{
    readonly TemporaryFolder _folder = new();

    public void Dispose()
    {
        AtomicFile.BeforeOperation = null;
        _folder.Dispose();
    }

    [Fact]
    public void A_text_is_written_where_its_folder_is_missing()
    {
        AtomicFile.WriteText(_folder.At("a/b/c.txt"), "é\n");

        Assert.Equal("é\n"u8.ToArray(), File.ReadAllBytes(_folder.At("a/b/c.txt")));
    }

    [Fact]
    public void A_write_that_fails_at_any_operation_leaves_the_old_file_and_nothing_aside()
    {
        var path = _folder.Write("f.txt", "old");
        for (var failing = 1; failing <= 3; failing++)
        {
            var count = 0;
            AtomicFile.BeforeOperation = _ =>
            {
                if (++count == failing)
                {
                    throw new IOException("disk full");
                }
            };

            Assert.Throws<IOException>(() => AtomicFile.WriteText(path, "new"));

            Assert.Equal("old", File.ReadAllText(path));
            Assert.Equal([path], Directory.GetFileSystemEntries(_folder.Path));
        }
    }

    [Fact]
    public void A_folder_is_there_whole_or_not_at_all()
    {
        var path = _folder.At("adapter");
        AtomicFile.WriteFolder(path, aside => File.WriteAllText(Path.Combine(aside, "one"), "1"));

        Assert.Throws<IOException>(() =>
            AtomicFile.WriteFolder(
                path,
                aside =>
                {
                    File.WriteAllText(Path.Combine(aside, "two"), "2");
                    throw new IOException("disk full");
                }
            )
        );

        Assert.Equal([Path.Combine(path, "one")], Directory.GetFileSystemEntries(path));
        Assert.Equal([path], Directory.GetFileSystemEntries(_folder.Path));

        AtomicFile.WriteFolder(path, aside => File.WriteAllText(Path.Combine(aside, "two"), "2"));
        Assert.Equal([Path.Combine(path, "two")], Directory.GetFileSystemEntries(path));
    }
}
