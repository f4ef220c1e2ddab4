using System.Runtime.CompilerServices;
using System.Xml.Linq;

namespace CoPe.Tests;

/// <summary>The examples in the library's documentation are code that compiles: each stands in Examples.cs.</summary>
public sealed class ExampleTests
{
    /// <summary>The types that people meet first.</summary>
    public static TheoryData<string> FirstTypes =>
        [
            "CoPe.Modeling.CausalLm",
            "CoPe.Tokens.Tokenizer",
            "CoPe.Chat.ConversationEncoder",
            "CoPe.Adapters.AdapterFile",
            "CoPe.Adapters.AdapterBank",
            "CoPe.Decoding.DecodingEngine",
            "CoPe.Decoding.DecodingOptions",
            "CoPe.Scoring.SequenceScorer",
            "CoPe.Training.SftTrainer",
            "CoPe.Training.DpoTrainer",
            "CoPe.Serving.ServingEngine",
        ];

    [Theory]
    [MemberData(nameof(FirstTypes))]
    public void The_example_of_a_type_is_code_that_compiles(string type)
    {
        var example = ReadExample(type);
        Assert.True(example is not null, $"{type} has no <example>");
        Assert.Contains(Normalize(example), Normalize(File.ReadAllText(ExamplesFile())), StringComparison.Ordinal);
    }

    /// <summary>The first of a page; build/test-packages.sh compiles and runs those of applications.</summary>
    [Theory]
    [InlineData("library.md", "ChatClientExample.cs")]
    [InlineData("serving.md", "Examples.cs")]
    public void The_example_of_a_page_is_code_that_compiles(string page, string source)
    {
        var tests = Path.GetDirectoryName(ExamplesFile())!;
        var example = File.ReadAllText(Path.Combine(tests, "..", "..", "docs", page))
            .ReplaceLineEndings("\n")
            .Split("```")
            .First(block => block.StartsWith("csharp\n", StringComparison.Ordinal))["csharp\n".Length..];
        var code = Normalize(File.ReadAllText(Path.Combine(tests, source)));
        Assert.Contains(Normalize(example), code, StringComparison.Ordinal);
    }

    static string? ReadExample(string type)
    {
        var documentation = XDocument.Load(Path.Combine(AppContext.BaseDirectory, "CoPe.xml"));
        return documentation
            .Descendants("member")
            .FirstOrDefault(member => member.Attribute("name")?.Value == "T:" + type)
            ?.Element("example")
            ?.Element("code")
            ?.Value;
    }

    static string Normalize(string code) =>
        string.Join('\n', code.Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0));

    static string ExamplesFile([CallerFilePath] string path = "") =>
        Path.Combine(Path.GetDirectoryName(path)!, "Examples.cs");
}
