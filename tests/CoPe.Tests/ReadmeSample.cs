using CoPe.Adapters;
using CoPe.Chat;
using CoPe.Decoding;
using CoPe.Modeling;

namespace CoPe.Tests;

/// <summary>The README's sample of the library, compiled here so that it stays true.</summary>
static class ReadmeSample
{
    public static void Run(string[] args)
    {
        // README begins
        var (modelFolder, runFolder, article) = (args[0], args[1], args[2]);
        using var model = CausalLm.Load(modelFolder);
        var encoder = ConversationEncoder.Load(modelFolder);
        using var tam = AdapterFile.Read(Path.Combine(runFolder, "tam/adapter"), model.Config);
        using var user = AdapterFile.Read(Path.Combine(runFolder, "dpo/1"), model.Config);
        var engine = new DecodingEngine(model, tam, user, StopTokens.Find(model.Config, encoder));
        var request = new DecodingRequest
        {
            Id = "1",
            Prompt = encoder.EncodePrompt([new ChatMessage("user", "Write a headline for: " + article)]),
            Expert = AdapterSelection.TaskAndUser(0),
            Amateur = AdapterSelection.Task,
            Options = new() { Contrast = 0.3 },
        };
        Console.WriteLine(encoder.DecodeResponse(engine.Generate([request]).Single().Ids));
        // README ends
    }
}
