using System.Runtime.CompilerServices;
using System.Xml.Linq;

namespace CoPe.Tests;

public class ThirdPartyTests
{
    [Fact]
    public void Every_package_stands_in_the_list_of_third_parties()
    {
        var root = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, "..", ".."));
        var list = File.ReadAllText(Path.Combine(root, "docs", "third-party.md"));
        var packages = XDocument.Load(Path.Combine(root, "Directory.Packages.props")).Descendants("PackageVersion").Select(package => package.Attribute("Include")!.Value);
        Assert.DoesNotContain(packages, package => !list.Contains(package, StringComparison.Ordinal));
    }

    static string ThisFile([CallerFilePath] string path = "") => path;
}
