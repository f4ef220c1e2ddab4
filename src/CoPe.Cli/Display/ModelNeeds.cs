using CoPe.Adapters;
using CoPe.Decoding;
using CoPe.Modeling;
using CoPe.Runs.Recipes;

namespace CoPe.Cli.Display;

/// <summary>What is to be done with a model, and from that the adapters' sizes and each stage's memory.</summary>
sealed record ModelNeeds
{
    public int Batch { get; init; } = 8;

    public int Length { get; init; } = 2048;

    public int Answer { get; init; } = 100;

    public int Users { get; init; } = 1;

    /// <summary>Rank of all adapters; null takes the recipes'.</summary>
    public int? Rank { get; init; }

    LoraConfig Task => new TamSettings().Lora is var lora && Rank is { } rank ? lora with { Rank = rank } : lora;

    LoraConfig User => new SftSettings().Lora is var lora && Rank is { } rank ? lora with { Rank = rank } : lora;

    /// <summary>The adapters of a run, and for comparison one on every linear layer: what it is, its shape, its number of weights.</summary>
    public IEnumerable<(string Name, LoraConfig Lora, long Parameters)> Adapters(ModelInfo info)
    {
        yield return ("task", Task, info.CountParameters(Task));
        yield return ("user", User, info.CountParameters(User));
        var all = User with { TargetModules = ["all-linear"] };
        yield return ("user, all layers", all, info.CountParameters(all));
    }

    /// <summary>About the bytes that each stage needs, weights and one pass of the batch and length together.</summary>
    public IEnumerable<(string Stage, string Rows, long Bytes)> Stages(ModelInfo info)
    {
        var dtype = info.Config.Dtype;
        var labels = Math.Min(Answer, Length);
        long Train(int rows, LoraConfig lora, int adapters) => info.TrainingBytes(rows, Length, lora, adapters, dtype) + info.LogitsBytes(rows * labels);
        // Prompts come first, in passes of many tokens.
        long Decode(int rows) => info.DecodingBytes(rows, Length, dtype) + info.LayerBytes(Math.Max(Length, Math.Min((long)rows * Length, new EngineOptions().PrefillTokens)), dtype);
        yield return ("train tam", Rows(Batch), Train(Batch, Task, 1));
        yield return ("train sft", Rows(Batch * Users), Train(Batch * Users, User, Users));
        yield return ("negatives sample", Rows(Batch), Decode(Batch));
        yield return ("train dpo", Rows(2 * Batch * Users), Train(2 * Batch * Users, User, Users));
        yield return ("predict", Rows(2 * Batch), Decode(2 * Batch));
    }

    static string Rows(int count) => count == 1 ? "1 row" : $"{count} rows";
}
