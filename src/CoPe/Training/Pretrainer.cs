using System.ComponentModel.DataAnnotations;
using CoPe.Modeling;
using static TorchSharp.torch;

namespace CoPe.Training;

/// <summary>
/// Trains a whole model on a stream of text: the same loop and loss as supervised training, with one user and every
/// weight. Matrices decay, norms and biases do not.
/// </summary>
public static class Pretrainer
{
    /// <summary>Numbers for models of a few million weights.</summary>
    public static TrainingOptions Defaults { get; } =
        new()
        {
            LearningRate = 2e-3,
            Epochs = 1,
            BatchSize = 16,
            WarmupRatio = 0.03,
            Schedule = LearningRateSchedule.Cosine,
            MaxGradNorm = 1,
            Optimizer = new() { Beta2 = 0.95, WeightDecay = 0.1 },
            TokensPerPass = 2048,
        };

    /// <summary>
    /// Trains <see cref="TrainingContext.Model"/> in place: float32 weights, computed in whatever type the model
    /// computes in. The weights must be leaves that autograd tracks, as <see cref="ModelWeights.Initialize"/> makes
    /// them.
    /// </summary>
    /// <param name="context">Model, options and where results go.</param>
    /// <param name="corpus">What the model is trained on.</param>
    /// <param name="progress">Receives the progress of each step.</param>
    /// <param name="cancellation">Checked before every step.</param>
    /// <returns>
    /// What became of it; <see cref="TrainingStatus.Diverged"/> leaves the weights of the lowest loss.
    /// </returns>
    /// <exception cref="ArgumentException">The model's weights are not float32 leaves that train.</exception>
    /// <exception cref="StaleCheckpointException">The checkpoint found belongs to another training.</exception>
    /// <exception cref="InsufficientMemoryException">A pass does not fit into memory.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the state was saved if there is a store.</exception>
    public static TrainingOutcome Train(
        TrainingContext context,
        PretrainingCorpus corpus,
        IProgress<StageProgress>? progress = null,
        CancellationToken cancellation = default
    )
    {
        var model = context.Model;
        RequireTrainable(model.Weights);
        using var weights = new TrainedWeights(GetDecayed(model), GetUndecayed(model), 1);
        var setup = new TrainingSetup
        {
            Context = context,
            Objective = new SftObjective(),
            Weights = weights,
            CreateReplica = () => CreateReplica(model),
            Users = TrainingUser.CreateAll(context, [corpus.ToTrainingSet()]),
        };
        using var loop = new TrainingLoop(setup);
        return loop.Run(progress, cancellation)[0];
    }

    static IReadOnlyList<Tensor> GetDecayed(CausalLm model) =>
        [.. model.Weights.Parameters().Where(weight => weight.dim() > 1)];

    static IReadOnlyList<Tensor> GetUndecayed(CausalLm model) =>
        [.. model.Weights.Parameters().Where(weight => weight.dim() <= 1)];

    static TrainingReplica CreateReplica(CausalLm model)
    {
        var alias = new CausalLm(model.Config, model.Weights.Alias(), model.Dtype);
        foreach (var weight in alias.Weights.Parameters())
        {
            weight.requires_grad = true;
        }

        return new(alias, null, [.. GetDecayed(alias), .. GetUndecayed(alias)], 1, alias);
    }

    static void RequireTrainable(ModelWeights weights)
    {
        foreach (var name in weights.Names)
        {
            var weight = weights[name];
            if (weight.requires_grad && weight.is_leaf && weight.dtype == ScalarType.Float32)
            {
                continue;
            }
            throw new ArgumentException(
                $"Weight {name} is {weight.dtype} and {(weight.requires_grad ? "tracked" : "frozen")}; "
                    + "expected a float32 leaf that autograd tracks. Make the weights with ModelWeights.Initialize."
            );
        }
    }
}

/// <summary>What a model is pre-trained on.</summary>
public sealed record PretrainingCorpus
{
    /// <summary>Name of the model in metrics and messages.</summary>
    public string Name { get; init; } = "model";

    /// <summary>The text as one stream of token ids, documents separated by whatever token ends one.</summary>
    public required IReadOnlyList<int> Tokens { get; init; }

    /// <summary>
    /// Conversations of which only the answers are learned, mixed among the windows; each is a row of its own.
    /// </summary>
    public IReadOnlyList<SupervisedExample> Conversations { get; init; } = [];

    /// <summary>A stream to measure the loss on while training; empty for none.</summary>
    public IReadOnlyList<int> DevelopmentTokens { get; init; } = [];

    /// <summary>
    /// Conversations to measure the loss on while training, together with <see cref="DevelopmentTokens"/>.
    /// </summary>
    public IReadOnlyList<SupervisedExample> DevelopmentConversations { get; init; } = [];

    /// <summary>
    /// Tokens of a window of the stream, at least 2. Each window predicts as many tokens; the last may be shorter.
    /// </summary>
    [Range(2, int.MaxValue)]
    public int Window
    {
        get;
        init => field = OptionGuard.Check(typeof(PretrainingCorpus), value);
    } = 512;

    internal UserTrainingSet<SupervisedExample> ToTrainingSet() =>
        new(Name, [.. SplitIntoWindows(Tokens), .. Conversations])
        {
            Development = [.. SplitIntoWindows(DevelopmentTokens), .. DevelopmentConversations],
        };

    /// <summary>
    /// A window's first token is its prompt; its last is also the next one's first, so that every token but the
    /// stream's first is predicted once.
    /// </summary>
    IEnumerable<SupervisedExample> SplitIntoWindows(IReadOnlyList<int> tokens)
    {
        for (var start = 0; start + 1 < tokens.Count; start += Window)
        {
            var response = new int[Math.Min(Window, tokens.Count - 1 - start)];
            for (var i = 0; i < response.Length; i++)
            {
                response[i] = tokens[start + 1 + i];
            }
            yield return new($"window {start / Window}", [tokens[start]], response);
        }
    }
}
