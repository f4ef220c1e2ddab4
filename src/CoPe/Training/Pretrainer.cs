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
    /// computes in.
    /// </summary>
    /// <returns>
    /// What became of it; <see cref="TrainingStatus.Diverged"/> leaves the weights of the last finite loss.
    /// </returns>
    /// <exception cref="ArgumentException">The model's weights are not float32 leaves that train.</exception>
    /// <exception cref="StaleCheckpointException">The checkpoint found belongs to another training.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the state was saved if there is a store.</exception>
    public static TrainingOutcome Train(
        PretrainingContext run,
        IProgress<StageProgress>? progress = null,
        CancellationToken cancellation = default
    )
    {
        RequireLeaves(run.Model.Weights);
        string[] names = [run.Name];
        var windows = TrainingRowBuilder.CreateRows(
            run,
            names,
            [
                [.. Windows(run.Tokens, run.Window), .. run.Conversations],
            ],
            example => TrainingRow.FromExample(example, run.Options.CutOff),
            example => example.Id
        );
        using var weights = new TrainedWeights(Decayed(run.Model), Undecayed(run.Model), 1);
        using var loop = new TrainingLoop(
            new()
            {
                Context = run,
                Objective = new SftObjective(),
                Weights = weights,
                CreateReplica = () => CreateReplica(run.Model),
                Names = names,
                Seeds = [SeedDerivation.DeriveForUser(run.Options.Seed, run.Name)],
                Rows = windows,
                DevelopmentRows =
                    run.DevelopmentTokens is null && run.DevelopmentConversations.Count == 0
                        ? null
                        : TrainingRowBuilder.CreateRows(
                            run,
                            names,
                            [
                                [.. Windows(run.DevelopmentTokens ?? [], run.Window), .. run.DevelopmentConversations],
                            ],
                            example => TrainingRow.FromExample(example, run.Options.CutOff),
                            example => example.Id
                        ),
            }
        );
        return loop.Run(progress, cancellation)[0];
    }

    static IReadOnlyList<Tensor> Decayed(CausalLm model) =>
        [.. model.Weights.Parameters().Where(weight => weight.dim() > 1)];

    static IReadOnlyList<Tensor> Undecayed(CausalLm model) =>
        [.. model.Weights.Parameters().Where(weight => weight.dim() <= 1)];

    static TrainingReplica CreateReplica(CausalLm model)
    {
        var alias = new CausalLm(model.Config, model.Weights.Alias(), model.Dtype);
        foreach (var weight in alias.Weights.Parameters())
        {
            weight.requires_grad = true;
        }

        return new(alias, null, [.. Decayed(alias), .. Undecayed(alias)], 1, alias);
    }

    /// <summary>
    /// A window's first token is its prompt; its last is also the next one's first, so that every token but the
    /// stream's first is predicted once.
    /// </summary>
    static IEnumerable<SupervisedExample> Windows(IReadOnlyList<int> tokens, int window)
    {
        for (var start = 0; start + 1 < tokens.Count; start += window)
        {
            var answer = new int[Math.Min(window, tokens.Count - 1 - start)];
            for (var i = 0; i < answer.Length; i++)
            {
                answer[i] = tokens[start + 1 + i];
            }

            yield return new($"window {start / window}", [tokens[start]], answer);
        }
    }

    static void RequireLeaves(ModelWeights weights)
    {
        foreach (var name in weights.Names)
        {
            if (
                weights[name] is var weight
                && (!weight.requires_grad || !weight.is_leaf || weight.dtype != ScalarType.Float32)
            )
            {
                throw new ArgumentException(
                    $"Weight {name} is {weight.dtype} and {(weight.requires_grad ? "tracked" : "frozen")}; expected a float32 leaf that autograd tracks. Make the weights with ModelWeights.Initialise."
                );
            }
        }
    }
}

/// <summary>
/// Training of all of a model's weights, from scratch or on from where they are. The model's weights must be leaves
/// that autograd tracks, as <see cref="ModelWeights.Initialize"/> makes them.
/// </summary>
public sealed class PretrainingContext : TrainingContext
{
    /// <summary>Name of the model in metrics and messages.</summary>
    public string Name { get; init; } = "model";

    /// <summary>The corpus as one stream of token ids, documents separated by whatever token ends one.</summary>
    public required IReadOnlyList<int> Tokens { get; init; }

    /// <summary>
    /// Conversations of which only the answers are learnt, mixed among the windows; each also is a row.
    /// </summary>
    public IReadOnlyList<SupervisedExample> Conversations { get; init; } = [];

    /// <summary>A stream to measure the loss on while training; null for none.</summary>
    public IReadOnlyList<int>? DevelopmentTokens { get; init; }

    /// <summary>
    /// Conversations to measure the loss on while training, together with <see cref="DevelopmentTokens"/>.
    /// </summary>
    public IReadOnlyList<SupervisedExample> DevelopmentConversations { get; init; } = [];

    /// <summary>
    /// Tokens of a window of the stream. Each window predicts as many tokens; the last may be shorter.
    /// </summary>
    public int Window
    {
        get;
        init => field = OptionGuard.AtLeast(value, 2, "pre-training window");
    } = 512;
}
