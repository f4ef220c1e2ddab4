using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using CoPe.Prompts;
using CoPe.Tests.Tokens;
using CoPe.Tokens;

namespace CoPe.Tests.Prompts;

/// <summary>Equality with Jinja in transformers' settings, on the templates of the folder named by COPE_TOKENIZERS.</summary>
public partial class ChatTemplateVectorTests(ITestOutputHelper output)
{
    static readonly JsonSerializerOptions Naming = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    sealed record Template(string Text, Dictionary<string, string> SpecialTokens);

    [Fact]
    public void Renderings_and_refusals_equal_those_of_transformers()
    {
        foreach (var file in Files())
        {
            using var document = JsonDocument.Parse(File.ReadAllText(file));
            var templates = Templates(document);
            var sets = document.RootElement.GetProperty("message_sets").Deserialize<Dictionary<string, ChatMessage[]>>(Naming)!;
            var cases = document.RootElement.GetProperty("cases").EnumerateArray().ToArray();
            output.WriteLine($"{file}: {cases.Length} cases of {string.Join(", ", templates.Keys)}");
            Assert.All(cases, one => Check(one, templates[$"{Text(one, "family")}/{Text(one, "source")}"], sets[Text(one, "messages")!], file));
        }
    }

    [Fact]
    public void The_reference_s_templates_give_what_the_reference_rendered()
    {
        var templates = Files().Select(file => Templates(JsonDocument.Parse(File.ReadAllText(file)))).FirstOrDefault();
        if (templates is null) { output.WriteLine("COPE_TOKENIZERS is not set: the reference's templates are not here"); return; }
        foreach (var file in GoldenFolders.Entries("metrics", "chat_templates.json"))
        {
            using var document = JsonDocument.Parse(File.ReadAllText(file));
            var cases = document.RootElement.GetProperty("rendered").EnumerateArray().ToArray();
            output.WriteLine($"{file}: {cases.Length} cases");
            Assert.All(cases, one =>
            {
                if (!templates.TryGetValue(Text(one, "template")!.Replace("qwen2.5", "qwen", StringComparison.Ordinal) + "/cope", out var template)) return;
                var context = new ChatTemplateContext { SpecialTokens = one.GetProperty("special_tokens").Deserialize<Dictionary<string, string>>()! };
                var messages = one.GetProperty("messages").Deserialize<ChatMessage[]>(Naming)!;
                Assert.Equal(Text(one, "rendered"), ChatTemplate.Parse(template.Text).Render(messages, one.GetProperty("add_generation_prompt").GetBoolean(), context));
            });
        }
    }

    static void Check(JsonElement one, Template template, ChatMessage[] messages, string file)
    {
        var expected = Text(one, "rendered");
        var context = new ChatTemplateContext { SpecialTokens = template.SpecialTokens };
        if (expected is not null && Date().Match(expected) is { Success: true } date) // the day on which it was rendered
            context = context with { Now = DateTimeOffset.ParseExact(date.Groups[1].Value, "dd MMM yyyy", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal) };
        var parsed = ChatTemplate.Parse(template.Text);
        var prompt = one.GetProperty("add_generation_prompt").GetBoolean();
        if (expected is null)
        {
            var refusal = Assert.Throws<ChatTemplateException>(() => parsed.Render(messages, prompt, context));
            Assert.EndsWith(refusal.Reason, Text(one, "error"), StringComparison.Ordinal);
            return;
        }
        Assert.Equal(expected, parsed.Render(messages, prompt, context));
        var folder = Path.Combine(Path.GetDirectoryName(file)!, Text(one, "family")!);
        if (!one.TryGetProperty("ids", out var ids) || !Directory.Exists(folder)) return;
        var tokenizer = Loaded.GetOrAdd(folder, Tokenizer.Load);
        Assert.Equal(ids.Deserialize<int[]>()!, tokenizer.Encode(expected));
        Assert.Equal(one.GetProperty("ids_without_special").Deserialize<int[]>()!, tokenizer.Encode(expected, addSpecialTokens: false));
    }

    static readonly System.Collections.Concurrent.ConcurrentDictionary<string, Tokenizer> Loaded = new();

    static IEnumerable<string> Files() => TokenizerFolders.Roots().Select(root => Path.Combine(root, "chat_templates.json")).Where(File.Exists);

    static Dictionary<string, Template> Templates(JsonDocument document) => document.RootElement.GetProperty("templates").EnumerateObject()
        .ToDictionary(one => one.Name, one => new Template(Text(one.Value, "template")!, one.Value.GetProperty("special_tokens").Deserialize<Dictionary<string, string>>()!));

    static string? Text(JsonElement element, string name) => element.GetProperty(name).GetString();

    [GeneratedRegex(@"Today Date: (\d\d \w{3} \d{4})")]
    private static partial Regex Date();
}
