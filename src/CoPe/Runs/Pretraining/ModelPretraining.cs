using CoPe.Modeling;
using CoPe.Tokens;
using CoPe.Tokens.Training;
using CoPe.Training;
using Microsoft.Extensions.Logging;
using static TorchSharp.torch;

namespace CoPe.Runs.Pretraining;

/// <summary>Makes a small base model from nothing: corpus, tokenizer, weights, training, folder. Goes on from its checkpoint where it was interrupted.</summary>
public static class ModelPretraining
{
    const string EndOfText = "<|endoftext|>";
    const string EndOfTurn = "<|im_end|>";

    /// <summary>Trains the model of the recipe and writes its folder.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="output">Folder of the model; its work files lie beside it in <c>output.work</c> and are removed at the end.</param>
    /// <param name="progress">Takes steps, loss and speed.</param>
    /// <param name="log">Takes messages.</param>
    /// <param name="cancellation">Saves a checkpoint and stops.</param>
    /// <exception cref="RunException">The corpus or the shape is wrong, or the training diverged.</exception>
    public static TrainingOutcome Run(PretrainRecipe recipe, string output, IProgress<StageProgress>? progress, ILogger log, CancellationToken cancellation)
    {
        var work = Path.TrimEndingDirectorySeparator(Path.GetFullPath(output)) + ".work";
        var corpus = PretrainCorpus.Load(recipe, Path.Combine(work, "data"), progress, cancellation);
        MakeTokenizer(recipe, corpus, output);
        var encoder = ConversationEncoder.Load(output);
        var tokenizer = encoder.Tokenizer;
        var (endOfText, endOfTurn) = (tokenizer.IdOf(EndOfText)!.Value, tokenizer.IdOf(EndOfTurn)!.Value);
        var config = recipe.Shape.Config(tokenizer.VocabularySize, endOfText, endOfTurn);
        using var weights = ModelWeights.Initialise(config, recipe.Seed);
        using var model = new CausalLm(config, weights, recipe.Training.Bf16 ? ScalarType.BFloat16 : ScalarType.Float32);
        var tokens = PretrainCorpus.Stream(corpus.Documents, tokenizer, endOfText);
        var conversations = PretrainCorpus.Conversations(corpus.Instructions, encoder);
        log.LogInformation("{Parameters:N0} parameters; {Tokens:N0} tokens of documents and {Conversations:N0} of {Count:N0} conversations", weights.Parameters().Sum(weight => weight.NumberOfElements),
            tokens.Length, conversations.Sum(example => (long)example.Prompt.Count + example.Response.Count), conversations.Count);
        var checkpoints = new FolderCheckpointStore(Path.Combine(work, "checkpoints"));
        var metrics = Path.Combine(work, "metrics.jsonl");
        var outcome = Pretrainer.Train(
            new PretrainRun
            {
                Model = model,
                Name = Path.GetFileName(output),
                Tokens = tokens,
                Conversations = conversations,
                DevelopmentTokens = corpus.HeldOutDocuments.Count == 0 ? null : PretrainCorpus.Stream(corpus.HeldOutDocuments, tokenizer, endOfText),
                DevelopmentConversations = PretrainCorpus.Conversations(corpus.HeldOutInstructions, encoder),
                Window = recipe.Training.Window,
                Options = recipe.Training.Options(recipe.Seed, recipe.Shape.Context),
                Stage = "pretrain",
                MemorySettings = new("training.tokens_per_pass", "training.window", null),
                Metrics = row => JsonLines.Append(metrics, [row]),
                Checkpoints = checkpoints,
                Logger = log,
            },
            progress,
            cancellation);
        if (outcome.End == TrainingEnd.Diverged) throw new RunException($"the training diverged after {outcome.Steps} steps: lower training.learning_rate (it is {recipe.Training.LearningRate})");
        ModelFolder.Save(output, config, weights, ScalarType.BFloat16);
        Directory.Delete(work, recursive: true);
        return outcome;
    }

    static void MakeTokenizer(PretrainRecipe recipe, PretrainCorpus corpus, string output)
    {
        Directory.CreateDirectory(output);
        BpeTrainer.Train(corpus.AllText(), new BpeTrainingOptions { VocabularySize = recipe.Shape.Vocabulary, ModelMaxLength = recipe.Shape.Context }).Save(output);
    }
}
