using CoPe.Serving;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;

namespace CoPe.Tests;

/// <summary>The example of a chat client in docs/library.md, compiled here so that it stays true.</summary>
static class ChatClientExample
{
    public static async Task Chat(IServiceCollection services, TextWriter output)
    {
        // IChatClient begins
        services.AddCoPe(options =>
        {
            options.ModelFolder = "models/cope-tiny";
            options.Catalog = new AdapterFolders("runs/demo/dpo", taskAdapter: "runs/demo/tam/adapter");
        });
        services.AddPersonalChatClient("7");

        await using var provider = services.BuildServiceProvider();
        var client = provider.GetRequiredService<IChatClient>();
        var options = new ChatOptions
        {
            MaxOutputTokens = 40,
            AdditionalProperties = new() { ["contrast"] = 0.3 },
        };
        await foreach (var update in client.GetStreamingResponseAsync("Write a headline", options))
        {
            output.Write(update.Text);
        }
        // IChatClient ends
    }
}
