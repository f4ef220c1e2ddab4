using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace CoPe.Tests;

public class NativeLibraryTests
{
    [Fact]
    public void Torch_loads_and_adds() => Assert.Equal(3f, TorchSharp.torch.ones(3).sum().item<float>());
}

public class ReadmeTests
{
    /// <summary>Columns by which the body of a method is indented.</summary>
    const int Indent = 8;

    [Fact]
    public void The_sample_in_the_readme_is_the_one_that_compiles()
    {
        var lines = File.ReadAllLines(Path.Combine(Here(), "ReadmeSample.cs"));
        var usings = lines.TakeWhile(line => line.StartsWith("using ", StringComparison.Ordinal));
        var body = lines
            .SkipWhile(line => !line.Contains("README begins"))
            .Skip(1)
            .TakeWhile(line => !line.Contains("README ends"))
            .Select(line => line.Length > Indent ? line[Indent..] : "");
        string[] sample = [.. usings, "", .. body];
        Assert.Contains($"```csharp\n{string.Join('\n', sample)}\n```", Readme().ReplaceLineEndings("\n"));
    }

    [Fact]
    public void The_readme_fits_in_150_lines_and_names_the_two_commands()
    {
        Assert.InRange(Readme().Split('\n').Length, 60, 151);
        Assert.Contains("\ndotnet run -c Release --project src/CoPe.Cli -- demo\n", Readme());
        Assert.Contains("\ndotnet test -c Release\n", Readme());
    }

    [Fact]
    public void The_data_flow_is_that_of_the_architecture_and_names_types_that_exist()
    {
        var flow = Flow(Readme());
        Assert.Equal(Flow(File.ReadAllText(Path.Combine(Root(), "docs", "architecture.md"))), flow);

        var sources = Directory.EnumerateFiles(Path.Combine(Root(), "src"), "*.cs", SearchOption.AllDirectories);
        var types = sources
            .SelectMany(file => Regex.Matches(File.ReadAllText(file), @"\b(?:class|record|struct|interface) (\w+)"))
            .Select(match => match.Groups[1].Value)
            .ToHashSet();
        var named = Regex.Matches(flow, @"\b[A-Z][a-z]\w*").Select(match => match.Value).Distinct().ToList();
        Assert.InRange(named.Count, 15, 40);
        Assert.DoesNotContain(named, name => !types.Contains(name));
    }

    [Fact]
    public void The_architecture_and_the_readme_list_every_folder_of_the_libraries()
    {
        var architecture = File.ReadAllText(Path.Combine(Root(), "docs", "architecture.md"));
        foreach (var project in (string[])["CoPe", "CoPe.Experiments"])
        {
            var folders = Directory
                .GetDirectories(Path.Combine(Root(), "src", project))
                .Select(folder => Path.GetFileName(folder))
                .Where(folder => folder is not ("bin" or "obj"));
            Assert.DoesNotContain(folders, folder => !architecture.Contains($"\n| `{folder}/` |"));
            Assert.DoesNotContain(folders, folder => !Readme().Contains($"\n  {folder}/ "));
        }
    }

    /// <summary>The block of a document that begins with the data.</summary>
    static string Flow(string document) =>
        document
            .ReplaceLineEndings("\n")
            .Split("```")
            .Single(block => block.StartsWith("\nLampDataset", StringComparison.Ordinal));

    static string Root() => Path.Combine(Here(), "..", "..");

    static string Readme() => File.ReadAllText(Path.Combine(Here(), "..", "..", "README.md"));

    static string Here([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
}

public class PackageReadmeTests
{
    [Theory]
    [InlineData("docs/library.md", "CoPe")]
    [InlineData("docs/serving.md", "CoPe.Server")]
    [InlineData("src/CoPe/README.md", "CoPe")]
    public void A_document_that_refers_to_packages_names_their_versions(string document, string package)
    {
        var text = File.ReadAllText(Path.Combine(Root(), document));
        var version = ReadProperty("Directory.Build.props", "Version");
        var libTorch = ReadProperty("build/CoPe.props", "LibTorchVersion");
        Assert.Contains($"<PackageReference Include=\"{package}\" Version=\"{version}\" />", text);
        Assert.Contains($"<PackageReference Include=\"libtorch-cpu-linux-x64\" Version=\"{libTorch}\" />", text);
    }

    [Theory]
    [InlineData("CoPe")]
    [InlineData("CoPe.Experiments")]
    [InlineData("CoPe.Server")]
    public void The_readme_of_a_librarys_package_begins_with_the_choice_of_libtorch(string package)
    {
        var lines = File.ReadLines(Path.Combine(Root(), "src", package, "README.md")).Take(6);
        var beginning = string.Join(' ', lines);
        Assert.Contains("**The application chooses libtorch**", beginning);
        Assert.Contains($"version {ReadProperty("build/CoPe.props", "LibTorchVersion")}", beginning);
    }

    static string ReadProperty(string file, string name) =>
        XDocument.Load(Path.Combine(Root(), file)).Descendants(name).Single().Value;

    static string Root([CallerFilePath] string path = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(path)!, "..", ".."));
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
