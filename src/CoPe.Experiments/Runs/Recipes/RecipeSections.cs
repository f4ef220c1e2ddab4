using System.ComponentModel.DataAnnotations;
using CoPe.Adapters;
using CoPe.Decoding;
using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Negatives;
using CoPe.Training;

namespace CoPe.Experiments.Runs.Recipes;

/// <summary>Stage 1: the task-adaptive model, trained on the other users' queries.</summary>
public sealed record TamSection : TrainingSection
{
    /// <summary>The paper's numbers.</summary>
    public TamSection() => Epochs = 3;

    /// <summary>Shape of the adapter.</summary>
    public LoraConfig Lora { get; init; } =
        new()
        {
            Rank = 16,
            Alpha = 16,
            TargetModules = ["q_proj", "k_proj", "v_proj", "o_proj"],
        };

    /// <summary>Most examples, drawn by the seed; null takes all.</summary>
    [Range(1, int.MaxValue)]
    public int? Examples { get; init; }
}

/// <summary>Stage 2: one adapter per user, trained on his history from the task-adaptive model (OPPU).</summary>
public sealed record SftSection : TrainingSection
{
    /// <summary>The paper's numbers.</summary>
    public SftSection()
    {
        Epochs = 2;
        BatchSize = 4;
    }

    /// <summary>Shape of each user's adapter.</summary>
    public LoraConfig Lora { get; init; } = new();

    /// <summary>
    /// Users trained in one pass; null (<c>auto</c>) chooses from memory. A user's result does not depend on it.
    /// </summary>
    [SpeedOnly, Range(1, int.MaxValue)]
    public int? UsersAtOnce { get; init; }
}

/// <summary>Stage 4: preference training of each user's SFT adapter.</summary>
public sealed record DpoSection : TrainingSection
{
    /// <summary>The paper's numbers.</summary>
    public DpoSection() => LearningRate = 5e-6;

    /// <summary>Strength with which the policy is held to the reference.</summary>
    [Range(0, double.MaxValue, MinimumIsExclusive = true)]
    public double Beta { get; init; } = 0.01;

    /// <summary>Loss.</summary>
    public DpoLossKind Loss { get; init; } = DpoLossKind.Sigmoid;

    /// <summary>Probability that a pair's labels are taken as swapped.</summary>
    [Range(0.0, 0.5, MaximumIsExclusive = true)]
    public double LabelSmoothing { get; init; }

    /// <summary>Reference policy.</summary>
    public DpoReference Reference { get; init; } = DpoReference.Tam;

    /// <summary>
    /// Weight of the supervised loss on the chosen answer, added to the preference loss; null adds none.
    /// </summary>
    [Range(0, double.MaxValue, MinimumIsExclusive = true)]
    public double? RpoAlpha { get; init; }

    /// <summary>
    /// Users trained in one pass; null (<c>auto</c>) chooses from memory. A user's result does not depend on it.
    /// </summary>
    [SpeedOnly, Range(1, int.MaxValue)]
    public int? UsersAtOnce { get; init; }
}

/// <summary>
/// Numbers every training stage has: AdamW with linear warm-up and decay, and how much of a text is read.
/// </summary>
public abstract record TrainingSection
{
    /// <summary>Peak learning rate.</summary>
    [Range(0, double.MaxValue, MinimumIsExclusive = true)]
    public double LearningRate { get; init; } = 1e-4;

    /// <summary>Passes over the examples.</summary>
    [Range(1, int.MaxValue)]
    public int Epochs { get; init; } = 1;

    /// <summary>Examples per optimiser step.</summary>
    [Range(1, int.MaxValue)]
    public int BatchSize { get; init; } = 8;

    /// <summary>Batches whose gradients make one optimiser step.</summary>
    [Range(1, int.MaxValue)]
    public int GradientAccumulation { get; init; } = 1;

    /// <summary>Examples of one optimiser step.</summary>
    internal long ExamplesPerStep => (long)BatchSize * GradientAccumulation;

    /// <summary>
    /// Keeps only each layer's input and computes its inside again in the backward pass: far less memory for about a
    /// third more time.
    /// </summary>
    [SpeedOnly]
    public bool RecomputeLayers { get; init; }

    /// <summary>
    /// Most tokens, padding included, that one pass through the model holds; null (<c>auto</c>) chooses from memory.
    /// Fewer need less memory.
    /// </summary>
    [SpeedOnly, Range(16, int.MaxValue)]
    public int? TokensPerPass { get; init; }

    /// <summary>Share of the steps over which the learning rate rises from 0.</summary>
    [Range(0.0, 1.0)]
    public double WarmupRatio { get; init; } = 0.1;

    /// <summary>Norm to which gradients are clipped; 0 leaves them as they are.</summary>
    [Range(0.0, double.MaxValue)]
    public double MaxGradNorm { get; init; } = 0.3;

    /// <summary>AdamW's decoupled weight decay.</summary>
    [Range(0.0, double.MaxValue)]
    public double WeightDecay { get; init; } = 0.01;

    /// <summary>When to stop before the last epoch.</summary>
    public EarlyStoppingSection EarlyStopping { get; init; } = new();

    /// <summary>Most tokens of an example, prompt and answer.</summary>
    [Range(8, int.MaxValue)]
    public int CutOff { get; init; } = 2048;

    /// <summary>Most words of each text field.</summary>
    [Range(1, int.MaxValue)]
    public int MaxWords { get; init; } = 768;
}

/// <summary>When an adapter stops learning before its last epoch; off by default, as in the paper.</summary>
public sealed record EarlyStoppingSection
{
    /// <summary>
    /// Examples held out at the end, of each user his latest, at most half of them; the adapter is measured by them,
    /// keeps the weights of the lowest loss, and never learns from them. 0 trains on all to the end.
    /// </summary>
    [Range(0, int.MaxValue)]
    public int Items { get; init; }

    /// <summary>Measurements without a new lowest loss after which training stops.</summary>
    [Range(1, int.MaxValue)]
    public int Patience { get; init; } = 2;

    /// <summary>Steps between measurements; 0 measures after each epoch.</summary>
    [Range(0, int.MaxValue)]
    public int EverySteps { get; init; }
}

/// <summary>Stage 3: rejected answers for each user's own texts.</summary>
public sealed record NegativesSection
{
    /// <summary>Where they come from.</summary>
    public NegativeKind Kind { get; init; } = NegativeKind.Pseudo;

    /// <summary>Answers sampled per history item.</summary>
    [Range(1, 64)]
    public int Candidates { get; init; } = 3;

    /// <summary>Most history items per user that get candidates, the latest first; null takes all.</summary>
    [Range(1, int.MaxValue)]
    public int? ItemsPerUser { get; init; }

    /// <summary>Sampling temperature.</summary>
    [Range(0, 100, MinimumIsExclusive = true)]
    public double Temperature { get; init; } = 1.0;

    /// <summary>Nucleus from which tokens are sampled.</summary>
    [Range(0.0, 1.0, MinimumIsExclusive = true)]
    public double TopP { get; init; } = 0.95;

    /// <summary>Most tokens of a candidate; null takes the task's.</summary>
    [Range(1, int.MaxValue)]
    public int? MaxNewTokens { get; init; }

    /// <summary>Which candidate is rejected.</summary>
    public NegativeSelection Select { get; init; } = NegativeSelection.Max;

    /// <summary>How log-probabilities are reduced.</summary>
    public RewardKind Reward { get; init; } = RewardKind.Sum;

    /// <summary>Tokens the reward counts.</summary>
    public RewardSpan Span { get; init; } = RewardSpan.Response;
}

/// <summary>
/// What the methods <c>rag</c>, <c>recent</c> and <c>pag</c> put into the prompt. Where it is too long for the model
/// items are left out, never the query.
/// </summary>
public sealed record InContextOptions
{
    /// <summary>Items of the user's history in a prompt (the reference's <c>k</c>).</summary>
    [Range(1, 1000)]
    public int Items { get; init; } = 4;

    /// <summary>Most words of each field of an item.</summary>
    [Range(1, int.MaxValue)]
    public int ItemWords { get; init; } = 100;

    /// <summary>Latest items of the history from which the model describes the user.</summary>
    [Range(1, 1000)]
    public int ProfileItems { get; init; } = 12;

    /// <summary>Most tokens of that description.</summary>
    [Range(1, int.MaxValue)]
    public int ProfileTokens { get; init; } = 96;

    /// <summary>Ask the task-adaptive model instead of the base model.</summary>
    public bool Tam { get; init; }
}

/// <summary>Stage 5: how answers are written.</summary>
public sealed record DecodeSection
{
    /// <summary>
    /// Number type of the weights while predicting and in a chat; auto takes <c>decode_dtype</c>. int8 is lossy, for
    /// the processor alone.
    /// </summary>
    public WeightDtype Dtype { get; init; } = WeightDtype.Auto;

    /// <summary>Weight of the amateur's log-probability in contrastive decoding (the paper's alpha).</summary>
    [Range(0.0, 10.0)]
    public double Contrast { get; init; } = 0.1;

    /// <summary>Share of the expert's best probability a token needs to be plausible.</summary>
    [Range(0.0, 1.0)]
    public double Plausibility { get; init; } = 0.1;

    /// <summary>Repetition penalty; null takes the task's.</summary>
    [Range(0, 10, MinimumIsExclusive = true)]
    public double? RepetitionPenalty { get; init; }

    /// <summary>
    /// What the repetition penalty acts on in contrastive decoding: the score, as in the reference, or the logits of
    /// both models before it.
    /// </summary>
    public RepetitionPenaltyTarget Penalize { get; init; } = RepetitionPenaltyTarget.Score;

    /// <summary>Most tokens of an answer; null takes the task's.</summary>
    [Range(1, int.MaxValue)]
    public int? MaxNewTokens { get; init; }

    /// <summary>Sample instead of taking the best token.</summary>
    public bool DoSample { get; init; }

    /// <summary>Sampling temperature, where <see cref="DoSample"/> is set.</summary>
    [Range(0, 100, MinimumIsExclusive = true)]
    public double Temperature { get; init; } = 0.3;

    /// <summary>Number of best tokens sampled from, where <see cref="DoSample"/> is set; 0 takes all.</summary>
    [Range(0, int.MaxValue)]
    public int TopK { get; init; } = 50;

    /// <summary>Nucleus sampled from, where <see cref="DoSample"/> is set.</summary>
    [Range(0, 1, MinimumIsExclusive = true)]
    public double TopP { get; init; } = 0.95;

    /// <summary>Answers drawn per query, where <see cref="DoSample"/> is set; figures are their mean.</summary>
    [Range(1, 1000)]
    public int Runs { get; init; } = 1;

    /// <summary>The amateur.</summary>
    public AmateurKind Amateur { get; init; } = AmateurKind.Tam;

    /// <summary>
    /// Most rows of one pass, an expert and its amateur being two; null (<c>auto</c>) lets the engine choose.
    /// </summary>
    [SpeedOnly, Range(2, int.MaxValue)]
    public int? MaxRows { get; init; }

    /// <summary>
    /// Score implausible tokens with log(1e-8) as the reference code does, instead of excluding them.
    /// </summary>
    public bool ReferenceEpsilon { get; init; }
}

/// <summary>Stage 6: how predictions are measured.</summary>
public sealed record EvaluateSection
{
    /// <summary>Compare stems instead of words in ROUGE.</summary>
    public bool Stemmer { get; init; }

    /// <summary>
    /// How values of queries become one number; the reference reports the median of an unseeded bootstrap.
    /// </summary>
    public AverageKind Average { get; init; }

    /// <summary>Resamples of the paired bootstrap between methods.</summary>
    [Range(100, 1_000_000)]
    public int Resamples { get; init; } = 1000;

    /// <summary>
    /// Also measure the gold's negative log-likelihood per token under every model, and how often the implicit reward
    /// ranks the user's own text above the candidates.
    /// </summary>
    public bool Likelihood { get; init; } = true;
}
