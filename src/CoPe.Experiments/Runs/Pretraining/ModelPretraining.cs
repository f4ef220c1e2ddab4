using CoPe.Chat;
using CoPe.Modeling;
using CoPe.Tokens.Training;
using CoPe.Training;
using Microsoft.Extensions.Logging;
using static TorchSharp.torch;

namespace CoPe.Experiments.Runs.Pretraining;

/// <summary>
/// Makes a small base model from scratch: corpus, tokenizer, weights, training, folder. Resumes from its checkpoint
/// after an interruption.
/// </summary>
public static class ModelPretraining
{
    const string EndOfText = "<|endoftext|>";
    const string EndOfTurn = "<|im_end|>";

    /// <summary>Trains the model of the recipe and writes its folder.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="output">
    /// Folder of the model, written at the end; until then all files are beside it in <c>output.work</c>, which is
    /// removed.
    /// </param>
    /// <param name="progress">Receives steps, loss and speed.</param>
    /// <param name="log">Receives messages.</param>
    /// <param name="cancellation">Saves a checkpoint and stops.</param>
    /// <exception cref="RunException">
    /// The corpus or the shape is wrong, the training diverged, or an interrupted one was started with another recipe.
    /// </exception>
    public static TrainingOutcome CreateModel(
        PretrainRecipe recipe,
        string output,
        IProgress<StageProgress>? progress,
        ILogger log,
        CancellationToken cancellation
    )
    {
        ProcessLimits.CheckAddressSpace();
        var work = Path.TrimEndingDirectorySeparator(Path.GetFullPath(output)) + ".work";
        var corpus = PretrainCorpus.Load(recipe, Path.Combine(work, "data"), progress, cancellation);
        var modelFolder = Path.Combine(work, "model");
        TrainTokenizer(recipe, corpus, modelFolder);
        var encoder = ConversationEncoder.Load(modelFolder);
        var tokenizer = encoder.Tokenizer;
        var (endOfText, endOfTurn) = (tokenizer.TokenToId(EndOfText)!.Value, tokenizer.TokenToId(EndOfTurn)!.Value);
        var config = recipe.Shape.ToDecoderConfig(tokenizer.VocabularySize, endOfText, endOfTurn);
        using var weights = ModelWeights.Initialize(config, recipe.Seed);
        using var model = new CausalLm(
            config,
            weights,
            recipe.Training.Bf16 ? ScalarType.BFloat16 : ScalarType.Float32
        );
        var tokens = PretrainCorpus.EncodeDocuments(corpus.Documents, tokenizer, endOfText);
        var conversations = PretrainCorpus.EncodeConversations(corpus.Instructions, encoder);
        log.LogInformation(
            "{Parameters:N0} parameters; {Tokens:N0} tokens of documents and {Conversations:N0} of {Count:N0} "
                + "conversations",
            weights.Parameters().Sum(weight => weight.NumberOfElements),
            tokens.Length,
            conversations.Sum(example => (long)example.Prompt.Count + example.Response.Count),
            conversations.Count
        );
        var outcome = TrainWeights(
            new TrainingContext
            {
                Model = model,
                Options = recipe.Training.ToTrainingOptions(recipe.Seed, recipe.Shape.Context),
                Stage = "pretrain",
                MemoryOptionNames = new("training.tokens_per_pass", "training.window", null),
                Metrics = row => JsonLines.Append(Path.Combine(work, "metrics.jsonl"), [row]),
                Checkpoints = new FolderCheckpointStore(Path.Combine(work, "checkpoints")),
                Logger = log,
            },
            new PretrainingCorpus
            {
                Name = Path.GetFileName(output),
                Tokens = tokens,
                Conversations = conversations,
                DevelopmentTokens =
                    corpus.HeldOutDocuments.Count == 0
                        ? []
                        : PretrainCorpus.EncodeDocuments(corpus.HeldOutDocuments, tokenizer, endOfText),
                DevelopmentConversations = PretrainCorpus.EncodeConversations(corpus.HeldOutInstructions, encoder),
                Window = recipe.Training.Window,
            },
            work,
            progress,
            cancellation
        );
        ModelFolder.Save(modelFolder, config, weights, ScalarType.BFloat16);
        Publish(modelFolder, output);
        Directory.Delete(work, recursive: true);
        return outcome;
    }

    static TrainingOutcome TrainWeights(
        TrainingContext context,
        PretrainingCorpus corpus,
        string work,
        IProgress<StageProgress>? progress,
        CancellationToken cancellation
    )
    {
        try
        {
            var outcome = Pretrainer.Train(context, corpus, progress, cancellation);
            if (outcome.Status != TrainingStatus.Diverged)
            {
                return outcome;
            }

            context.Checkpoints?.Clear();
            throw new RunException(
                $"the training diverged after {outcome.Steps} steps: "
                    + $"lower training.learning_rate (it is {context.Options.LearningRate})"
            );
        }
        catch (StaleCheckpointException error)
        {
            throw new RunException(
                $"{work} holds a training that was started with another recipe ({error.Message}): "
                    + "resume it with that recipe, or delete the folder to start again",
                error
            );
        }
    }

    /// <summary>
    /// Moves the finished files into the model's folder, which may hold an older model. Until then that one stays
    /// whole, with a tokenizer and weights that belong together.
    /// </summary>
    static void Publish(string modelFolder, string output)
    {
        Directory.CreateDirectory(output);
        foreach (var file in Directory.EnumerateFiles(modelFolder).ToList())
        {
            File.Move(file, Path.Combine(output, Path.GetFileName(file)), overwrite: true);
        }
    }

    static void TrainTokenizer(PretrainRecipe recipe, PretrainCorpus corpus, string folder)
    {
        Directory.CreateDirectory(folder);
        BpeTrainer
            .Train(
                corpus.GetTexts(),
                new BpeTrainingOptions
                {
                    VocabularySize = recipe.Shape.Vocabulary,
                    ModelMaxLength = recipe.Shape.Context,
                }
            )
            .Save(folder);
    }
}
