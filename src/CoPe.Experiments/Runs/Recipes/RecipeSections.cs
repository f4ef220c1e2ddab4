using System.ComponentModel.DataAnnotations;
using CoPe.Adapters;
using CoPe.Decoding;
using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Settings;
using CoPe.Experiments.Tasks;
using CoPe.Training;

namespace CoPe.Experiments.Runs.Recipes;

/// <summary>What the sections of the training stages have in common.</summary>
public abstract record TrainingSection
{
    /// <summary>How weights are trained.</summary>
    [Inline]
    public TrainingOptions Training { get; init; } = new();

    /// <summary>
    /// Most tokens, padding included, that one pass through the model holds; null (<c>auto</c>) chooses from memory.
    /// Fewer need less memory.
    /// </summary>
    [SpeedOnly, Range(16, int.MaxValue)]
    public int? TokensPerPass
    {
        get;
        init => field = OptionGuard.Check(typeof(TrainingSection), value);
    }

    /// <summary>When to stop before the last epoch; off by default, as in the paper.</summary>
    public EarlyStopping EarlyStopping { get; init; } = new();

    /// <summary>Most words of each text field.</summary>
    [Range(1, int.MaxValue)]
    public int MaxWords
    {
        get;
        init => field = OptionGuard.Check(typeof(TrainingSection), value);
    } = 768;
}

/// <summary>Stage 1: the task-adaptive model, trained on the other users' queries.</summary>
public sealed record TamSection : TrainingSection
{
    /// <summary>The paper's numbers.</summary>
    public TamSection() => Training = TrainingOptions.TaskAdaptiveModel;

    /// <summary>Shape of the adapter.</summary>
    public LoraConfig Lora { get; init; } =
        new()
        {
            Rank = 16,
            Alpha = 16,
            TargetModules = ["q_proj", "k_proj", "v_proj", "o_proj"],
        };

    /// <summary>
    /// Folder of a PEFT adapter made elsewhere, which is taken instead of training one; <c>none</c> takes the base
    /// model alone as the task-adaptive model; null trains it.
    /// </summary>
    [CountsByContent]
    public string? Adapter { get; init; }

    /// <summary>Most examples, drawn by the seed; null takes all.</summary>
    [Range(1, int.MaxValue)]
    public int? Examples
    {
        get;
        init => field = OptionGuard.Check(typeof(TamSection), value);
    }
}

/// <summary>Stage 2: one adapter per user, trained on their history from the task-adaptive model (OPPU).</summary>
public sealed record SftSection : TrainingSection
{
    /// <summary>The paper's numbers.</summary>
    public SftSection() => Training = TrainingOptions.UserAdapter;

    /// <summary>Shape of each user's adapter.</summary>
    public LoraConfig Lora { get; init; } = new();

    /// <summary>
    /// Users trained in one pass; null (<c>auto</c>) chooses from memory. A user's result does not depend on it.
    /// </summary>
    [SpeedOnly, Range(1, int.MaxValue)]
    public int? UsersAtOnce
    {
        get;
        init => field = OptionGuard.Check(typeof(SftSection), value);
    }
}

/// <summary>Stage 4: preference training of each user's SFT adapter.</summary>
public sealed record DpoSection : TrainingSection
{
    /// <summary>The paper's numbers.</summary>
    public DpoSection() => Training = TrainingOptions.Dpo;

    /// <summary>The preference loss.</summary>
    [Inline]
    public DpoOptions Preference { get; init; } = new();

    /// <summary>
    /// Users trained in one pass; null (<c>auto</c>) chooses from memory. A user's result does not depend on it.
    /// </summary>
    [SpeedOnly, Range(1, int.MaxValue)]
    public int? UsersAtOnce
    {
        get;
        init => field = OptionGuard.Check(typeof(DpoSection), value);
    }
}

/// <summary>
/// What the methods <c>rag</c>, <c>recent</c> and <c>pag</c> put into the prompt. Where it is too long for the model
/// items are left out, never the query.
/// </summary>
public sealed record InContextOptions
{
    /// <summary>Items of the user's history in a prompt (the reference's <c>k</c>).</summary>
    [Range(1, 1000)]
    public int Items
    {
        get;
        init => field = OptionGuard.Check(typeof(InContextOptions), value);
    } = 4;

    /// <summary>Most words of each field of an item.</summary>
    [Range(1, int.MaxValue)]
    public int ItemWords
    {
        get;
        init => field = OptionGuard.Check(typeof(InContextOptions), value);
    } = 100;

    /// <summary>Latest items of the history from which the model describes the user.</summary>
    [Range(1, 1000)]
    public int ProfileItems
    {
        get;
        init => field = OptionGuard.Check(typeof(InContextOptions), value);
    } = 12;

    /// <summary>Most tokens of that description.</summary>
    [Range(1, int.MaxValue)]
    public int ProfileTokens
    {
        get;
        init => field = OptionGuard.Check(typeof(InContextOptions), value);
    } = 96;

    /// <summary>Prompt the task-adaptive model instead of the base model.</summary>
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

    /// <summary>How tokens are chosen.</summary>
    [Inline]
    public DecodingOptions Decoding { get; init; } = new();

    /// <summary>Repetition penalty; null takes the task's.</summary>
    [Range(0.0, 10.0, MinimumIsExclusive = true)]
    public double? RepetitionPenalty
    {
        get;
        init => field = OptionGuard.Check(typeof(DecodeSection), value);
    }

    /// <summary>Most tokens of an answer; null takes the task's.</summary>
    [Range(1, int.MaxValue)]
    public int? MaxNewTokens
    {
        get;
        init => field = OptionGuard.Check(typeof(DecodeSection), value);
    }

    /// <summary>Answers drawn per query, where <c>do_sample</c> is set; figures are their mean.</summary>
    [Range(1, 1000)]
    public int Runs
    {
        get;
        init => field = OptionGuard.Check(typeof(DecodeSection), value);
    } = 1;

    /// <summary>The amateur.</summary>
    public AmateurKind Amateur { get; init; } = AmateurKind.Tam;

    /// <summary>
    /// Most rows of one pass, an expert and its amateur being two; null (<c>auto</c>) lets the engine choose.
    /// </summary>
    [SpeedOnly, Range(2, int.MaxValue)]
    public int? MaxRows
    {
        get;
        init => field = OptionGuard.Check(typeof(DecodeSection), value);
    }

    /// <summary>Answers drawn per query: one where they are not sampled.</summary>
    internal int SampleCount => Decoding.DoSample ? Runs : 1;

    /// <summary>How tokens are chosen for a task, whose own numbers stand where the section has none.</summary>
    public DecodingOptions CreateOptions(LampTask task)
    {
        ArgumentNullException.ThrowIfNull(task);
        return Decoding with
        {
            MaxNewTokens = MaxNewTokens ?? task.MaxNewTokens,
            RepetitionPenalty = RepetitionPenalty ?? task.RepetitionPenalty,
        };
    }
}

/// <summary>Stage 6: how predictions are measured.</summary>
public sealed record EvaluateSection
{
    /// <summary>How predictions are scored.</summary>
    [Inline]
    public EvaluationOptions Scoring { get; init; } = new();

    /// <summary>How methods are tested against each other.</summary>
    [Inline]
    public PairedTestOptions Tests { get; init; } = new() { Resamples = 1000 };

    /// <summary>
    /// Also measure the gold's negative log-likelihood per token under every model, and how often the implicit reward
    /// ranks the user's own text above the candidates.
    /// </summary>
    public bool Likelihood { get; init; } = true;
}
