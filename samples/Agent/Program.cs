// Two agents of Microsoft's Agent Framework, a writer with one person's model and a rewriter with another's: the second
// gets what the first wrote. Both share one model in memory.
using CoPe.Serving;
using Microsoft.Agents.AI;

if (args.Length != 5)
{
    Console.Error.WriteLine(
        "usage: MODEL_FOLDER RUN_FOLDER WRITER REWRITER TEXT, for example: "
            + "models/cope-tiny runs/demo 7 3 'A new bridge opened over the river.'"
    );
    return 2;
}

var (modelFolder, runFolder, text) = (args[0], args[1], args[4]);
var users = new AdapterFolders(Path.Combine(runFolder, "dpo"), Path.Combine(runFolder, "tam/adapter"));
await using var engine = ServingEngine.Load(modelFolder, users);

var writer = new ChatClientAgent(engine.AsChatClient(args[2]), name: "writer");
var rewriter = new ChatClientAgent(engine.AsChatClient(args[3]), name: "rewriter");

var session = await writer.CreateSessionAsync();
var draft = await writer.RunAsync($"Write a headline for: {text}", session);
Console.WriteLine($"{writer.Name}: {draft.Text}");

Console.Write($"{rewriter.Name}: ");
await foreach (var update in rewriter.RunStreamingAsync($"Write a headline for: {draft.Text}"))
{
    Console.Write(update.Text);
}

Console.WriteLine();
return 0;
