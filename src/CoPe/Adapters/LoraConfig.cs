using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using CoPe.Modeling;

namespace CoPe.Adapters;

/// <summary>Shape of a low-rank adapter (Hu et al., 2021, arXiv 2106.09685), in PEFT's terms.</summary>
public sealed record LoraConfig
{
    /// <summary>
    /// Rank r, at most the smaller side of every adapted matrix. Reference: 16 for the task-adaptive model, 8 for a
    /// user.
    /// </summary>
    [Range(1, 65536)]
    public int Rank { get; init; } = 8;

    /// <summary>LoRA alpha; not the contrast and not the plausibility, which the reference also calls alpha.</summary>
    [Range(0.0, double.MaxValue, MinimumIsExclusive = true)]
    public double Alpha { get; init; } = 8;

    /// <summary>Linear layers adapted, by the last part of their name, for example <c>q_proj</c>.</summary>
    public IReadOnlyList<string> TargetModules { get; init; } = ["q_proj", "v_proj"];

    /// <summary>Probability with which an input of the adapter is dropped while training.</summary>
    [Range(0.0, 1.0, MaximumIsExclusive = true)]
    public double Dropout { get; init; } = 0.05;

    /// <summary>Rank-stabilized scaling: alpha / sqrt(r) instead of alpha / r.</summary>
    public bool UseRsLora { get; init; }

    /// <summary>
    /// Which positions the adapter acts on. On the answer alone, it leaves the prompt as the model below it computes
    /// it, so that all such adapters share it.
    /// </summary>
    [InputUnlessDefault, JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public ActivePositions Active { get; init; }

    /// <summary>
    /// Tokens that an adapter of <see cref="ActivePositions.Answer"/> acts from: from the first of them on, where they
    /// occur last; PEFT's <c>alora_invocation_tokens</c>. Null for one that acts everywhere.
    /// </summary>
    [CodeOnly, JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<int>? InvocationTokens { get; init; }

    /// <summary>
    /// Embedding and head (<c>embed_tokens</c>, <c>lm_head</c>) that the adapter has in place of the model's and that
    /// train whole: PEFT's <c>modules_to_save</c>. Each adapter then holds a matrix of the vocabulary. Null for none.
    /// </summary>
    [InputUnlessDefault, JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? ModulesToSave { get; init; }

    /// <summary>
    /// Where embedding and head of the model are one weight, they stay one in the adapter, whichever of them
    /// <c>modules_to_save</c> names.
    /// </summary>
    [InputUnlessDefault, JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool EnsureWeightTying { get; init; }

    /// <summary>Ranks of layers that have another.</summary>
    internal LayerPatterns Ranks { get; init; } = LayerPatterns.None;

    /// <summary>Alphas of layers that have another.</summary>
    internal LayerPatterns Alphas { get; init; } = LayerPatterns.None;

    /// <summary>
    /// What the adapter's output is multiplied by: alpha / r, or alpha / sqrt(r); in an adapter of PEFT's with
    /// patterns, of the layers that match none.
    /// </summary>
    public double Scaling => ComputeScaling(Alpha, Rank);

    /// <summary>Rank of a layer, by its full name.</summary>
    internal int GetRank(string layer) => (int?)Ranks.Find(layer) ?? Rank;

    /// <summary>What the output of a layer's adapter is multiplied by.</summary>
    internal double GetScaling(string layer) => ComputeScaling(Alphas.Find(layer) ?? Alpha, GetRank(layer));

    double ComputeScaling(double alpha, int rank) => alpha / (UseRsLora ? Math.Sqrt(rank) : rank);

    /// <summary>Checks every value.</summary>
    /// <exception cref="ArgumentException">A value is outside its range.</exception>
    public void Validate()
    {
        OptionGuard.CheckAll(this);
        if (TargetModules.Count == 0)
        {
            throw new ArgumentException("LoRA has no target modules; expected at least one, for example q_proj.");
        }

        if (InvocationTokens is not null && Active == ActivePositions.Everywhere)
        {
            throw new ArgumentException("LoRA has invocation tokens, but acts everywhere; expected none.");
        }

        foreach (var name in ModulesToSave ?? [])
        {
            if (SavedModuleNames.FindLayer(name) is not { } layer)
            {
                throw new ArgumentException(
                    $"LoRA saves the module '{name}'; supported: {string.Join(", ", SavedModuleNames.All)}."
                );
            }

            if (TargetModules.Any(target => LoraTargets.IsMeant(layer, target)))
            {
                throw new ArgumentException($"LoRA both adapts and saves {name}; expected one of the two.");
            }
        }

        if (ModulesToSave is { Count: > 0 } && Active == ActivePositions.Answer)
        {
            throw new ArgumentException(
                "LoRA acts on the answer alone, but has an embedding or a head of its own, which act everywhere."
            );
        }
    }

    /// <summary>Throws unless an adapter that acts on the answer alone says where the answer begins.</summary>
    /// <exception cref="ArgumentException">It has no invocation tokens.</exception>
    internal void RequireInvocationTokens()
    {
        if (Active == ActivePositions.Answer && InvocationTokens is not { Count: > 0 })
        {
            throw new ArgumentException(
                "LoRA acts on the answer alone, but has no invocation tokens; "
                    + "expected those that begin an answer in the model's prompts."
            );
        }
    }

    /// <summary>
    /// Checks every value, and against a model: its layers have the target modules, and none is adapted by a rank that
    /// it cannot have.
    /// </summary>
    /// <exception cref="ArgumentException">
    /// A value is outside its range, a target module names no layer, or the rank is above a matrix's smaller side.
    /// </exception>
    internal void CheckFits(DecoderConfig model)
    {
        Validate();
        if (EnsureWeightTying && !(model.TiedHead && ModulesToSave is { Count: > 0 }))
        {
            throw new ArgumentException(
                "ensure_weight_tying is on, but "
                    + (model.TiedHead ? "modules_to_save is empty" : "the model's head is not its embedding")
                    + "; turn it off"
            );
        }

        var smallest = LoraTargets.Select(model, TargetModules).MinBy(GetSmallerSide)!;
        if (Rank > GetSmallerSide(smallest))
        {
            throw new ArgumentException(
                $"rank {Rank} is above the smaller side {GetSmallerSide(smallest)} of {smallest.ShortName} "
                    + $"({smallest.Outputs} x {smallest.Inputs}); lower the rank to {GetSmallerSide(smallest)} "
                    + "at most, or adapt other modules"
            );
        }
    }

    static long GetSmallerSide(LinearLayer layer) => Math.Min(layer.Inputs, layer.Outputs);

    /// <summary>Number of weights of one adapter of this shape.</summary>
    /// <param name="model">The model that it adapts.</param>
    /// <exception cref="ArgumentException">A target module names no layer of the model.</exception>
    public long CountParameters(DecoderConfig model)
    {
        var layers = LoraTargets.Select(model, TargetModules);
        var saved = EnsureWeightTying ? Math.Min(1, SavedLayers.Count) : SavedLayers.Count;
        return layers.Sum(layer => (long)GetRank(layer.Name) * (layer.Inputs + layer.Outputs))
            + (long)saved * model.VocabSize * model.HiddenSize;
    }

    /// <summary>Full names of the layers that <see cref="ModulesToSave"/> names.</summary>
    internal IReadOnlyCollection<string> SavedLayers =>
        (ModulesToSave ?? []).Select(SavedModuleNames.FindLayer).OfType<string>().ToHashSet(StringComparer.Ordinal);
}

/// <summary>Which positions of a text an adapter acts on.</summary>
public enum ActivePositions
{
    /// <summary>All of them, as in the paper.</summary>
    Everywhere,

    /// <summary>
    /// The answer, with the header that the chat template opens it with (activated LoRA; Greenewald et al., 2025,
    /// arXiv 2504.12397).
    /// </summary>
    Answer,
}

/// <summary>What <c>modules_to_save</c> may name.</summary>
static class SavedModuleNames
{
    public static readonly IReadOnlyList<string> All = ["embed_tokens", "lm_head"];

    /// <summary>The layer that a name means, be it inside a model with a vision tower; null where it is none.</summary>
    public static string? FindLayer(string name)
    {
        string[] layers = [WeightLayout.EmbeddingLayer, WeightLayout.HeadLayer];
        return Array.Find(
            layers,
            layer =>
                (WeightLayout.ToCanonicalName(name) ?? "") is var own
                && own.Length > 0
                && LoraTargets.IsTarget(layer, own)
        );
    }

    /// <summary>The name that PEFT's files have for a layer.</summary>
    public static string GetShortName(string layer) => layer[(layer.LastIndexOf('.') + 1)..];
}

/// <summary>Which linear layers of a model an adapter targets.</summary>
static class LoraTargets
{
    /// <summary>PEFT's word for every linear layer.</summary>
    public const string AllLinear = "all-linear";

    /// <summary>The layers whose name ends in one of the targets, in model order.</summary>
    /// <exception cref="ArgumentException">A target names no layer of the model.</exception>
    public static IReadOnlyList<LinearLayer> Select(DecoderConfig model, IReadOnlyList<string> targets)
    {
        var layers = WeightLayout.ListAdaptable(model).ToList();
        foreach (var target in targets)
        {
            if (!layers.Exists(layer => IsMeant(layer.Name, target)))
            {
                var known = layers.Select(layer => layer.ShortName).Distinct().ToList();
                throw new ArgumentException(
                    $"target module '{target}' names no linear layer of the model "
                        + $"({string.Join(", ", known)}; or {AllLinear}){NearestName.Hint(target, known)}",
                    nameof(targets)
                );
            }
        }

        return layers.FindAll(layer => targets.Any(target => IsMeant(layer.Name, target)));
    }

    /// <summary>Whether a target means a layer: neither embedding nor head are meant by "all-linear".</summary>
    public static bool IsMeant(string name, string target) =>
        target == AllLinear ? !WeightLayout.IsEmbeddingOrHead(name) : IsTarget(name, target);

    /// <summary>PEFT's rule: the name is the target or ends in it after a dot.</summary>
    public static bool IsTarget(string name, string target) =>
        name == target || name.EndsWith("." + target, StringComparison.Ordinal);
}
