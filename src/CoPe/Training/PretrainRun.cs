using CoPe.Tokens;

namespace CoPe.Training;

/// <summary>Training of all of a model's weights, from scratch or on from where they are. The model's weights must be leaves that autograd tracks, as <see cref="CoPe.Modeling.ModelWeights.Initialise"/> makes them.</summary>
public sealed class PretrainRun : TrainingRun
{
    /// <summary>Name of the model in metrics and messages.</summary>
    public string Name { get; init; } = "model";

    /// <summary>The corpus as one stream of token ids, documents separated by whatever token ends one.</summary>
    public required IReadOnlyList<int> Tokens { get; init; }

    /// <summary>Conversations of which only the answers are learnt, mixed among the windows; each also is a row.</summary>
    public IReadOnlyList<SupervisedExample> Conversations { get; init; } = [];

    /// <summary>A stream to measure the loss on while training; null for none.</summary>
    public IReadOnlyList<int>? DevelopmentTokens { get; init; }

    /// <summary>Conversations to measure the loss on while training, together with <see cref="DevelopmentTokens"/>.</summary>
    public IReadOnlyList<SupervisedExample> DevelopmentConversations { get; init; } = [];

    /// <summary>Tokens of a window of the stream. Each window predicts as many tokens; the last may be shorter.</summary>
    public int Window { get; init => field = OptionCheck.AtLeast(value, 2, "pre-training window"); } = 512;
}
