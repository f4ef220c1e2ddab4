using CoPe.Experiments.Runs;
using CoPe.Testing;

namespace CoPe.Experiments.Tests.Runs;

public sealed class RealPathTests : IDisposable
{
    readonly TemporaryFolder _folder = new();

    public RealPathTests()
    {
        _folder.Write("real/inner/file.txt", "");
        Directory.CreateSymbolicLink(_folder.At("link"), _folder.At("real"));
        Directory.CreateSymbolicLink(_folder.At("relative"), "link/inner");
        Directory.CreateSymbolicLink(_folder.At("loop"), _folder.At("loop"));
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("real/inner", "real/inner")]
    [InlineData("link/inner/file.txt", "real/inner/file.txt")]
    [InlineData("relative/file.txt", "real/inner/file.txt")]
    [InlineData("link/not/there", "real/not/there")]
    [InlineData("real/../link/", "real")]
    public void Every_link_is_followed(string path, string leadsTo) =>
        Assert.Equal(RealPath.Resolve(_folder.At(leadsTo)), RealPath.Resolve(_folder.At(path)));

    [Fact]
    public void A_link_to_itself_ends() => Assert.NotEmpty(RealPath.Resolve(_folder.At("loop/file")));

    [Theory]
    [InlineData("relative", "link", true)]
    [InlineData("link", "real", true)]
    [InlineData("real", "link/inner", false)]
    [InlineData("realistic", "real", false)]
    public void What_lies_within_a_folder_is_told_by_where_paths_lead(string path, string folder, bool isWithin) =>
        Assert.Equal(isWithin, RealPath.IsWithin(_folder.At(path), _folder.At(folder)));
}
