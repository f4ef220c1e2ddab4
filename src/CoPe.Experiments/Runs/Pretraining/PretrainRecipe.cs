using System.ComponentModel.DataAnnotations;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Modeling;
using CoPe.Training;
using static TorchSharp.torch;

namespace CoPe.Experiments.Runs.Pretraining;

/// <summary>
/// How a small base model is made from scratch: its text, its tokenizer, its shape and its training. A file in the same
/// form as a <see cref="Recipe"/>.
/// </summary>
public sealed record PretrainRecipe
{
    /// <summary>Folder the model is written to, in Hugging Face layout.</summary>
    public string Output { get; init; } = "";

    /// <summary>
    /// Folder with <c>neutral.txt</c> (one document per line) and <c>instructions.jsonl</c>; empty creates the sample
    /// corpus.
    /// </summary>
    public string Corpus { get; init; } = "";

    /// <summary>Documents of the sample corpus.</summary>
    [Range(1, int.MaxValue)]
    public int Documents { get; init; } = 8000;

    /// <summary>Requests with answers of the sample corpus.</summary>
    [Range(0, int.MaxValue)]
    public int Instructions { get; init; } = 10_000;

    /// <summary>Seed of the corpus, the first weights and the order of the text.</summary>
    [Range(0L, long.MaxValue)]
    public long Seed { get; init; } = 42;

    /// <summary>
    /// Share of the documents, and of the requests with answers, that measure the loss and are not trained on.
    /// </summary>
    [Range(0.0, 0.5)]
    public double DevelopmentShare { get; init; } = 0.01;

    /// <summary>The model's shape.</summary>
    public PretrainShape Shape { get; init; } = new();

    /// <summary>Hyperparameters of the training.</summary>
    public PretrainHyperparameters Training { get; init; } = new();
}

/// <summary>Shape of a Llama-like model.</summary>
public sealed record PretrainShape
{
    /// <summary>Tokens of the vocabulary, special ones included.</summary>
    [Range(300, 1_000_000)]
    public int Vocabulary { get; init; } = 2048;

    /// <summary>Layers.</summary>
    [Range(1, 1000)]
    public int Layers { get; init; } = 4;

    /// <summary>Width.</summary>
    [Range(8, 65536)]
    public int Hidden { get; init; } = 256;

    /// <summary>Width inside the feed-forward blocks.</summary>
    [Range(8, 262144)]
    public int Intermediate { get; init; } = 704;

    /// <summary>Query heads.</summary>
    [Range(1, 1024)]
    public int Heads { get; init; } = 4;

    /// <summary>Key and value heads; they divide the query heads.</summary>
    [Range(1, 1024)]
    public int KeyValueHeads { get; init; } = 2;

    /// <summary>Longest context.</summary>
    [Range(16, 1_000_000)]
    public int Context { get; init; } = 1024;

    /// <summary>The configuration of a model of this shape.</summary>
    /// <exception cref="RunException">Width and heads do not divide.</exception>
    public DecoderConfig ToDecoderConfig(int vocabulary, int endOfText, int endOfTurn)
    {
        if (Hidden % Heads != 0 || Heads % KeyValueHeads != 0 || Hidden / Heads % 2 != 0)
        {
            throw new RunException(
                $"shape: width {Hidden} with {Heads} heads and {KeyValueHeads} key-value heads does not divide; "
                    + "heads must divide the width into even parts, and key-value heads must divide the heads"
            );
        }

        return new DecoderConfig
        {
            VocabSize = vocabulary,
            HiddenSize = Hidden,
            IntermediateSize = Intermediate,
            LayerCount = Layers,
            HeadCount = Heads,
            KeyValueHeadCount = KeyValueHeads,
            HeadDim = Hidden / Heads,
            MaxPositions = Context,
            TiedHead = true,
            Dtype = ScalarType.BFloat16,
            BosTokenId = endOfText,
            PadTokenId = endOfText,
            StopTokenIds = [endOfTurn, endOfText],
        };
    }
}

/// <summary>Hyperparameters of pre-training.</summary>
public sealed record PretrainHyperparameters
{
    /// <summary>Peak learning rate.</summary>
    [Range(0.0, 1.0, MinimumIsExclusive = true)]
    public double LearningRate { get; init; } = 2e-3;

    /// <summary>Passes over the text.</summary>
    [Range(1, int.MaxValue)]
    public int Epochs { get; init; } = 1;

    /// <summary>Windows and conversations of a step.</summary>
    [Range(1, int.MaxValue)]
    public int BatchSize { get; init; } = 16;

    /// <summary>Tokens of a window of the documents.</summary>
    [Range(16, int.MaxValue)]
    public int Window { get; init; } = 256;

    /// <summary>
    /// Shuffles windows and requests for each pass over the text; off keeps the order of the corpus, documents first.
    /// </summary>
    public bool Shuffle { get; init; } = true;

    /// <summary>Share of the steps over which the learning rate rises.</summary>
    [Range(0.0, 1.0)]
    public double WarmupRatio { get; init; } = 0.03;

    /// <summary>Steps between two measurements of the held-out loss; the weights of the lowest are kept.</summary>
    [Range(1, int.MaxValue)]
    public int MeasureEvery { get; init; } = 500;

    /// <summary>Maximum tokens of one pass through the model, padding included; fewer need less memory.</summary>
    [Range(16, int.MaxValue)]
    public int TokensPerPass { get; init; } = 2048;

    /// <summary>Computes in bf16 over float32 weights; off computes in float32.</summary>
    public bool Bf16 { get; init; } = true;

    /// <summary>The trainer's options.</summary>
    public TrainingOptions ToTrainingOptions(long seed, int context) =>
        Pretrainer.Defaults with
        {
            LearningRate = LearningRate,
            Epochs = Epochs,
            BatchSize = BatchSize,
            WarmupRatio = WarmupRatio,
            Shuffle = Shuffle,
            Seed = seed,
            CutOff = context,
            TokensPerPass = TokensPerPass,
            EarlyStopping = new() { EverySteps = MeasureEvery, Patience = int.MaxValue },
        };
}
