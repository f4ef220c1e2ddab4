using System.Runtime.CompilerServices;
using System.Xml.Linq;

namespace CoPe.Tests;

public class NativeLibraryTests
{
    [Fact]
    public void Torch_loads_and_adds() => Assert.Equal(3f, TorchSharp.torch.ones(3).sum().item<float>());
}

public class ReadmeTests
{
    [Fact]
    public void The_sample_in_the_readme_is_the_one_that_compiles()
    {
        var lines = File.ReadAllLines(Path.Combine(Here(), "ReadmeSample.cs"));
        var sample = lines
            .SkipWhile(line => !line.Contains("README begins"))
            .Skip(1)
            .TakeWhile(line => !line.Contains("README ends"))
            .Select(line => line.Trim());
        Assert.Contains(string.Join('\n', sample), Readme().ReplaceLineEndings("\n"));
    }

    [Fact]
    public void The_readme_fits_in_150_lines_and_names_the_two_commands()
    {
        Assert.InRange(Readme().Split('\n').Length, 60, 151);
        Assert.Contains("\ndotnet run -c Release --project src/CoPe.Cli -- demo\n", Readme());
        Assert.Contains("\ndotnet test -c Release\n", Readme());
    }

    static string Readme() => File.ReadAllText(Path.Combine(Here(), "..", "..", "README.md"));

    static string Here([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
}

public class ThirdPartyTests
{
    [Fact]
    public void Every_package_stands_in_the_list_of_third_parties()
    {
        var root = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, "..", ".."));
        var list = File.ReadAllText(Path.Combine(root, "docs", "third-party.md"));
        var packages = XDocument
            .Load(Path.Combine(root, "Directory.Packages.props"))
            .Descendants("PackageVersion")
            .Select(package => package.Attribute("Include")!.Value);
        Assert.DoesNotContain(packages, package => !list.Contains(package, StringComparison.Ordinal));
    }

    static string ThisFile([CallerFilePath] string path = "") => path;
}
