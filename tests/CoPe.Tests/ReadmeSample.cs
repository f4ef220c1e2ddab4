using CoPe.Adapters;
using CoPe.Chat;
using CoPe.Decoding;
using CoPe.Modeling;

namespace CoPe.Tests;

/// <summary>The README's sample of the library, compiled here so that it stays true.</summary>
static class ReadmeSample
{
    public static void Write(TextWriter output, string modelFolder, string runFolder, string article)
    {
        // README begins
        using var model = CausalLm.Load(modelFolder);
        var encoder = ConversationEncoder.Load(modelFolder);
        using var tam = AdapterFile.Read(Path.Combine(runFolder, "tam/adapter"), model.Config);
        using var user = AdapterFile.Read(Path.Combine(runFolder, "dpo/1"), model.Config);
        var engine = new DecodingEngine(model, tam, user, model.Config.StopTokenIds);
        var prompt = encoder.EncodePrompt([new ChatMessage("user", "Write a headline for: " + article)]);
        var request = new DecodingRequest
        {
            Id = "1",
            Prompt = prompt,
            Expert = AdapterSelection.TaskAndUser(0),
            Amateur = AdapterSelection.Task,
            Options = new() { Contrast = 0.3 },
        };
        var answer = engine.Generate([request]).Single();
        output.WriteLine(encoder.DecodeResponse(answer.Ids));
        // README ends
    }
}
