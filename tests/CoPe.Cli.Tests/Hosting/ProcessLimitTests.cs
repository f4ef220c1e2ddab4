using CoPe.Testing;

namespace CoPe.Cli.Tests.Hosting;

/// <summary>Limits of a shell or batch system end in words, not in a signal or a stack trace.</summary>
public sealed class ProcessLimitTests : IDisposable
{
    readonly InProcessCommand _cope = new();
    readonly TemporaryFolder _folder = new();

    public void Dispose()
    {
        _cope.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("ulimit -n 64", "only 64 files may be open at a time (ulimit -n); at least 256 are needed")]
    [InlineData("ulimit -f 32768", "files may have no more than 32 MB (ulimit -f)")]
    public void A_limit_under_which_nothing_runs_is_refused_by_name(string limit, string message)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "ulimit");

        var ended = Shell.Run($"""{limit}; "$COPE" version""");

        Assert.Equal(1, ended.Code);
        Assert.StartsWith($"cope: error: {message}", ended.Error, StringComparison.Ordinal);
        Assert.Single(ended.Error.TrimEnd().Split('\n'));
    }

    [Fact]
    public void An_address_space_too_small_for_torch_is_refused_before_a_model_is_loaded()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "ulimit");

        var ended = Shell.Run("""ulimit -v 4194304; "$COPE" score hello --model models/cope-tiny""");

        Assert.Equal(1, ended.Code);
        Assert.StartsWith(
            "cope: error: not enough memory: the address space is limited to 4,096 MB (ulimit -v)",
            ended.Error,
            StringComparison.Ordinal
        );
        Assert.Equal(0, Shell.Run("""ulimit -v 4194304; "$COPE" version""").Code);
    }

    [Fact]
    public void A_file_that_grows_over_the_limit_fails_as_on_a_full_disk()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "ulimit");
        var large = _folder.At("large.yaml");
        using (var stream = File.Create(large))
        {
            stream.Write("# "u8);
            stream.SetLength(80 << 20);
        }

        var ended = Shell.Run($"""ulimit -f 65536; "$COPE" recipes cp {large} {_folder.At("copy.yaml")}""");

        Assert.Equal(1, ended.Code);
        Assert.Contains("a file is larger than the disk or 'ulimit -f' allows", ended.Error, StringComparison.Ordinal);
        Assert.Equal([large], Directory.GetFiles(_folder.Path));
    }

    [Theory]
    [InlineData(28, "the disk is full")]
    [InlineData(122, "your share of the disk is used up")]
    [InlineData(24, "too many files are open")]
    public void An_error_of_the_disk_says_what_to_do(int number, string message)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "numbers of errors are those of Linux");
        _cope.Tam.BeforeExecute = _ => throw new IOException("as the system says", number);

        Assert.Equal(1, _cope.Run("run", "recipe.yaml"));

        var line = Assert.Single(_cope.ErrorLines);
        Assert.StartsWith($"cope: error: {message} (as the system says)", line, StringComparison.Ordinal);
        Assert.EndsWith("run the same command again to resume", line, StringComparison.Ordinal);
    }
}
