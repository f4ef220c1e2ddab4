using System.Runtime.CompilerServices;
using CoPe.Cli.Hosting;
using CoPe.Testing;

namespace CoPe.Cli.Tests;

/// <summary>
/// What people read, compared as a whole with the files in <c>Expectations</c>. With <c>COPE_ACCEPT=1</c> the test
/// writes the files instead; their diff is then the review.
/// </summary>
public sealed class WholeOutputTests : IDisposable
{
    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("--help")]
    [InlineData("run --help")]
    [InlineData("train sft --help")]
    [InlineData("negatives sample --help")]
    [InlineData("predict --help")]
    [InlineData("evaluate --help")]
    [InlineData("compare --help")]
    [InlineData("sweep --help")]
    [InlineData("data import --help")]
    [InlineData("model info --help")]
    [InlineData("personalize --help")]
    [InlineData("chat --help")]
    [InlineData("write --help")]
    [InlineData("user forget --help")]
    [InlineData("recipes ls")]
    public void The_output_of_a_command_is_as_accepted(string line)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var host = new CommandHost
        {
            Out = output,
            Error = error,
            SearchFolders = [_folder.Path, AppContext.BaseDirectory],
        };

        Assert.Equal(0, CommandLine.Run(line.Split(' '), host));

        Assert.Equal("", error.ToString());
        AssertAccepted(line.Replace("--", "", StringComparison.Ordinal).Replace(' ', '-') + ".txt", output.ToString());
    }

    static void AssertAccepted(string name, string actual)
    {
        var file = Path.Combine(Path.GetDirectoryName(ThisFile())!, "Expectations", name);
        var text = actual.ReplaceLineEndings("\n");
        if (Environment.GetEnvironmentVariable("COPE_ACCEPT") is "1")
        {
            File.WriteAllText(file, text);
            return;
        }

        Assert.True(File.Exists(file), $"{file} is missing: run this test with COPE_ACCEPT=1 to write it");
        Assert.Equal(File.ReadAllText(file), text);
    }

    static string ThisFile([CallerFilePath] string path = "") => path;
}
