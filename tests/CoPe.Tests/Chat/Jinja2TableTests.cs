using System.Text.Json;
using CoPe.Chat;
using CoPe.Testing;

namespace CoPe.Tests.Chat;

/// <summary>
/// Equality with Jinja2 in transformers' settings on small templates; <c>Goldens/jinja2/make_table.py</c> writes the
/// table.
/// </summary>
public class Jinja2TableTests
{
    static readonly JsonSerializerOptions Naming = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    sealed record Case(string Template, string? Rendered, string? Error)
    {
        public override string ToString() => Template;
    }

    sealed record Table(ChatMessage[] Messages, Case[] Cases);

    [Fact]
    public void Small_templates_give_what_Jinja2_gives_or_are_refused_as_it_refuses_them()
    {
        foreach (var file in GoldenFolders.Entries("jinja2", "table.json"))
        {
            var table = JsonSerializer.Deserialize<Table>(File.ReadAllText(file), Naming)!;
            Assert.True(table.Cases.Length >= 300);
            Assert.All(table.Cases, one => Check(one, table.Messages));
        }
    }

    static void Check(Case one, ChatMessage[] messages)
    {
        var context = new ChatTemplateContext
        {
            SpecialTokens = new Dictionary<string, string> { ["bos_token"] = "<s>" },
        };
        string Render() => ChatTemplate.Parse(one.Template).Render(messages, addGenerationPrompt: true, context);
        if (one.Error is null)
        {
            Assert.Equal(one.Rendered, Render());
        }
        else
        {
            Assert.Throws<ChatTemplateException>(Render);
        }
    }
}
