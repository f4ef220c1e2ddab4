using CoPe.Adapters;
using CoPe.Chat;
using CoPe.Decoding;
using CoPe.Modeling;
using CoPe.Scoring;
using CoPe.Serving;
using CoPe.Tokens;
using CoPe.Training;

namespace CoPe.Tests;

/// <summary>The examples of the library's documentation, compiled here so that they stay true.</summary>
static class Examples
{
    public static void LoadModel(TextWriter output)
    {
        // CausalLm begins
        using var model = CausalLm.Load("models/cope-tiny");
        output.WriteLine($"{model.Config.LayerCount} layers in {model.Dtype}, context {model.Config.MaxPositions}");
        // CausalLm ends
    }

    public static void EncodeText(TextWriter output)
    {
        // Tokenizer begins
        var tokenizer = Tokenizer.Load("models/cope-tiny");
        var ids = tokenizer.Encode("Rain expected on Friday");
        output.WriteLine(tokenizer.Decode(ids));
        // Tokenizer ends
    }

    public static int[] EncodeConversation(string article)
    {
        // ConversationEncoder begins
        var encoder = ConversationEncoder.Load("models/cope-tiny");
        var prompt = encoder.EncodePrompt([new ChatMessage("user", $"Generate a headline: {article}")]);
        var response = encoder.EncodeResponse("Rain expected on Friday");
        // ConversationEncoder ends
        return [.. prompt, .. response];
    }

    public static void ReadAndWriteAdapter(CausalLm model)
    {
        // AdapterFile begins
        using var adapter = AdapterFile.Read("runs/demo/sft/1", model.Config);
        AdapterFile.Write("copy/of/user-1", adapter, index: 0, baseModelName: "models/cope-tiny");
        // AdapterFile ends
    }

    public static int CreateAdapters(CausalLm model)
    {
        // AdapterBank begins
        var lora = new LoraConfig { Rank = 8, TargetModules = ["q_proj", "v_proj"] };
        using var users = AdapterBank.Create(model.Config, lora, seeds: [1, 2, 3]);
        using var second = users.Extract(1);
        // AdapterBank ends
        return second.Count;
    }

    public static void Decode(
        CausalLm model,
        ConversationEncoder encoder,
        AdapterBank task,
        AdapterBank users,
        int[] prompt,
        TextWriter output
    )
    {
        // DecodingEngine begins
        var engine = new DecodingEngine(model, task, users, StopTokens.Find(model.Config, encoder));
        var requests = Enumerable
            .Range(0, users.Count)
            .Select(user => new DecodingRequest
            {
                Id = $"user {user}",
                Prompt = prompt,
                Expert = AdapterSelection.TaskAndUser(user),
                Amateur = AdapterSelection.Task,
            });
        foreach (var result in engine.Generate(requests))
        {
            output.WriteLine($"{result.RequestId}: {result.Ids.Count} tokens, {result.StopReason}");
        }
        // DecodingEngine ends
    }

    public static DecodingOptions ChooseDecoding()
    {
        // DecodingOptions begins
        var options = new DecodingOptions
        {
            Contrast = 0.1, // how much of the amateur's log-probability is subtracted
            Plausibility = 0.1, // tokens below a tenth of the most likely one's probability are out
            MaxNewTokens = 64,
        };
        // DecodingOptions ends
        return options;
    }

    public static void Score(CausalLm model, AdapterBank task, AdapterBank users, int[] prompt, int[] response)
    {
        // SequenceScorer begins
        var scorer = new SequenceScorer(model, task, users);
        var item = new ScoringItem(
            "headline 1",
            prompt,
            [response],
            [AdapterSelection.TaskAndUser(0), AdapterSelection.Task]
        );
        var scores = scorer.Score([item]);
        var implicitReward = scores[0].Sum - scores[1].Sum;
        // SequenceScorer ends
        GC.KeepAlive(implicitReward);
    }

    public static void TrainSft(CausalLm model, AdapterBank task, int[] prompt, int[] response, TextWriter output)
    {
        // SftTrainer begins
        using var adapters = AdapterBank.Create(model.Config, new LoraConfig(), seeds: [42]);
        var user = new UserTrainingSet<SupervisedExample>("ann", [new("headline 1", prompt, response)]);
        var context = new TrainingContext { Model = model, Options = TrainingOptions.UserAdapter };
        var outcomes = SftTrainer.Train(context, adapters, [user], task);
        output.WriteLine($"{outcomes[0].User}: {outcomes[0].Status}, loss {outcomes[0].LastLoss:F3}");
        // SftTrainer ends
    }

    public static void TrainDpo(CausalLm model, AdapterBank task, AdapterBank adapters, int[] prompt, int[][] responses)
    {
        // DpoTrainer begins
        var pair = new PreferenceExample("headline 1", prompt, Chosen: responses[0], Rejected: responses[1]);
        var user = new UserTrainingSet<PreferenceExample>("ann", [pair]);
        var context = new TrainingContext { Model = model, Options = TrainingOptions.Dpo };
        DpoTrainer.Train(context, adapters, [user], new DpoOptions { Beta = 0.1 }, task);
        // DpoTrainer ends
    }

    public static async Task Serve(TextWriter output)
    {
        // ServingEngine begins
        var users = new AdapterFolders("runs/demo/dpo", taskAdapter: "runs/demo/tam/adapter");
        await using var engine = ServingEngine.Load("models/cope-tiny", users);
        var prompt = engine.Encoder.EncodePrompt([new ChatMessage("user", "Write a headline")]);
        await foreach (var token in engine.GenerateAsync(new ServingRequest { Model = "7", Prompt = prompt }))
        {
            output.Write(token.Text);
        }
        // ServingEngine ends
    }
}
