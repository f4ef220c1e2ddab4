// A chat in the terminal with the model of one person. Every line is a turn; an empty one ends it.
using CoPe.Serving;
using Microsoft.Extensions.AI;

if (args.Length != 3)
{
    Console.Error.WriteLine("usage: MODEL_FOLDER RUN_FOLDER USER, for example: models/cope-tiny runs/demo 7");
    return 2;
}

var (modelFolder, runFolder, user) = (args[0], args[1], args[2]);
var users = new AdapterFolders(Path.Combine(runFolder, "dpo"), Path.Combine(runFolder, "tam/adapter"));

// A conversation's next turn computes what is new alone.
var limits = new ServingOptions { PromptCacheBytes = 64 << 20 };
await using var engine = ServingEngine.Load(modelFolder, users, limits);
using var client = engine.AsChatClient(user);

var options = new ChatOptions
{
    MaxOutputTokens = 60,
    AdditionalProperties = new() { ["contrast"] = 0.3 },
};
List<ChatMessage> conversation = [];
while (Prompt() is { Length: > 0 } line)
{
    conversation.Add(new ChatMessage(ChatRole.User, line));
    List<ChatResponseUpdate> answer = [];
    await foreach (var update in client.GetStreamingResponseAsync(conversation, options))
    {
        Console.Write(update.Text);
        answer.Add(update);
    }

    Console.WriteLine();
    conversation.AddMessages(answer);
}

return 0;

static string? Prompt()
{
    Console.Write("> ");
    return Console.ReadLine();
}
