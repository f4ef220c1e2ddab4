using CoPe.Adapters;
using CoPe.Modeling;
using CoPe.Modeling.Safetensors;
using CoPe.Tokens.Training;
using static TorchSharp.torch;

namespace CoPe.Fuzz.Readers;

/// <summary>A model and an adapter so small that a file of them is a good seed.</summary>
static class SampleModel
{
    public static DecoderConfig Config { get; } =
        new()
        {
            VocabSize = 280,
            HiddenSize = 8,
            IntermediateSize = 8,
            LayerCount = 1,
            HeadCount = 2,
            KeyValueHeadCount = 1,
            HeadDim = 4,
            MaxPositions = 64,
            TiedHead = true,
            BosTokenId = 1,
            StopTokenIds = [2],
        };

    public static string ConfigJson { get; } = DecoderConfigWriter.ToJson(Config, ScalarType.Float32);

    /// <summary>A model folder: configuration, weights, tokenizer.</summary>
    public static string WriteTo(Scratch scratch, string name)
    {
        var folder = scratch.MakeFolder(name);
        scratch.Write($"{name}/config.json", ConfigJson);
        scratch.Write($"{name}/generation_config.json", DecoderConfigWriter.ToGenerationJson(Config));
        using var weights = ModelWeights.Initialize(Config, seed: 1);
        SafetensorsWriter.Write(
            Path.Combine(folder, ShardedCheckpoint.SingleFileName),
            weights.Names.ToDictionary(weight => weight, weight => weights[weight])
        );
        WriteTokenizer(folder);
        return folder;
    }

    /// <summary>A tokenizer of 276 tokens, without the rest of a model.</summary>
    public static void WriteTokenizer(string folder) =>
        BpeTrainer.Train(["the red sky and the blue sky, then the rain"], new() { VocabularySize = 276 }).Save(folder);

    /// <summary>An adapter of the model, in PEFT's layout.</summary>
    public static string WriteAdapter(Scratch scratch, string name)
    {
        var folder = scratch.MakeFolder(name);
        var lora = new LoraConfig
        {
            Rank = 2,
            Alpha = 4,
            TargetModules = ["q_proj", "v_proj"],
        };
        using var bank = AdapterBank.Create(Config, lora, [1]);
        AdapterFile.Write(folder, bank, 0, "sample");
        return folder;
    }
}
