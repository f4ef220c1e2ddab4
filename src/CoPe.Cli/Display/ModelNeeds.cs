using CoPe.Adapters;
using CoPe.Decoding;
using CoPe.Modeling;
using CoPe.Runs.Recipes;
using CoPe.Training;

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
        // A batch is taken in passes of so many tokens, one after the other.
        long Train(int rows, int tokens, int labelled, LoraConfig lora, int adapters)
        {
            var together = Math.Clamp(TrainingOptions.UserAdapter.MaxTokensPerPass / tokens, 1, rows);
            return info.TrainingBytes(together, tokens, lora, adapters, dtype) + info.LogitsBytes(together * labelled);
        }
        // Prompts come first, in passes of many tokens.
        long Decode(int rows) => info.DecodingBytes(rows, Length, dtype) + info.LayerBytes(Math.Max(Length, Math.Min((long)rows * Length, new EngineOptions().PrefillTokens)), dtype);
        yield return ("train tam", Rows(Batch), Train(Batch, Length, labels, Task, 1));
        yield return ("train sft", Rows(Batch * Users), Train(Batch * Users, Length, labels, User, Users));
        yield return ("negatives sample", Rows(Batch), Decode(Batch));
        // Both answers of a pair follow one prompt in one row.
        yield return ("train dpo", Count(Batch * Users, "pair"), Train(Batch * Users, Length + labels, 2 * labels, User, Users));
        yield return ("predict", Rows(2 * Batch), Decode(2 * Batch));
        yield return ("predict, int8 weights", Rows(2 * Batch), Decode(2 * Batch) - info.WeightBytes(dtype) + info.Int8WeightBytes);
    }

    static string Rows(int count) => Count(count, "row");

    static string Count(int count, string what) => count == 1 ? $"1 {what}" : $"{count} {what}s";
}
