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
    public void Of_a_link_the_link_is_removed_wherever_it_leads()
    {
        _folder.Write("there/f.txt", "theirs");
        Directory.CreateSymbolicLink(_folder.At("folder"), _folder.At("there"));
        File.CreateSymbolicLink(_folder.At("file"), _folder.At("there/f.txt"));
        File.CreateSymbolicLink(_folder.At("dangling"), _folder.At("nowhere"));
        File.CreateSymbolicLink(_folder.At("itself"), _folder.At("itself"));
        Directory.CreateDirectory(_folder.At("outer"));
        Directory.CreateSymbolicLink(_folder.At("outer/inner"), _folder.At("there"));

        foreach (var name in (string[])["folder", "file", "dangling", "itself", "outer"])
        {
            AtomicFile.Remove(_folder.At(name));
        }

        Assert.Equal([_folder.At("there")], Directory.GetFileSystemEntries(_folder.Path));
        Assert.Equal("theirs", File.ReadAllText(_folder.At("there/f.txt")));
    }

    [Fact]
    public void Where_the_folder_cannot_be_flushed_the_write_fails_with_the_new_file_in_place()
    {
        var path = _folder.Write("f.txt", "old");
        AtomicFile.BeforeOperation = operation =>
        {
            if (operation.StartsWith("flush the folder", StringComparison.Ordinal))
            {
                throw new IOException("input/output error");
            }
        };

        Assert.Throws<IOException>(() => AtomicFile.WriteText(path, "new"));

        Assert.Equal("new", File.ReadAllText(path));
        Assert.Equal([path], Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void An_error_of_the_flush_is_thrown_with_its_number_and_the_file()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }
        using var device = new FileStream("/dev/null", FileMode.Open, FileAccess.Write); // knows no flush: EINVAL

        var error = Assert.Throws<IOException>(() => DiskSync.Flush(device));

        Assert.Equal(22, error.HResult);
        Assert.Contains("/dev/null", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_that_is_not_there_cannot_be_flushed()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }
        DiskSync.FlushFolder(_folder.Path);
        Assert.Throws<IOException>(() => DiskSync.FlushFolder(_folder.At("missing")));
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
