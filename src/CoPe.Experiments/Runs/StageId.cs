using CoPe.Experiments.Runs.Recipes;

namespace CoPe.Experiments.Runs;

/// <summary>What a stage does.</summary>
public enum StageKind
{
    /// <summary>Trains the task-adaptive model on the other users' queries.</summary>
    TrainTam,

    /// <summary>Trains one adapter on everyone.</summary>
    TrainTamAll,

    /// <summary>Trains each user's adapter on their history.</summary>
    TrainSft,

    /// <summary>Samples candidates for rejected answers.</summary>
    SampleNegatives,

    /// <summary>Selects each item's rejected answer.</summary>
    SelectNegatives,

    /// <summary>Trains each user's adapter on preferences.</summary>
    TrainDpo,

    /// <summary>Has the model describe each user.</summary>
    WriteProfiles,

    /// <summary>Writes one method's answers.</summary>
    Predict,

    /// <summary>Measures the answers.</summary>
    Evaluate,

    /// <summary>Writes the report.</summary>
    Report,

    /// <summary>Writes the page for the person whose texts the run was made from.</summary>
    WritePersonPage,
}

/// <summary>
/// Which stage of a run. Its name is for people and for the names of its files; nothing is read back from it.
/// </summary>
public sealed record StageId
{
    StageId(StageKind kind, string name, PredictionMethod? method = null)
    {
        Kind = kind;
        Name = name;
        Method = method;
    }

    /// <summary><c>train tam</c>.</summary>
    public static StageId TrainTam { get; } = new(StageKind.TrainTam, "train tam");

    /// <summary><c>train tam-all</c>.</summary>
    public static StageId TrainTamAll { get; } = new(StageKind.TrainTamAll, "train tam-all");

    /// <summary><c>train sft</c>.</summary>
    public static StageId TrainSft { get; } = new(StageKind.TrainSft, "train sft");

    /// <summary><c>negatives sample</c>.</summary>
    public static StageId SampleNegatives { get; } = new(StageKind.SampleNegatives, "negatives sample");

    /// <summary><c>negatives select</c>.</summary>
    public static StageId SelectNegatives { get; } = new(StageKind.SelectNegatives, "negatives select");

    /// <summary><c>train dpo</c>.</summary>
    public static StageId TrainDpo { get; } = new(StageKind.TrainDpo, "train dpo");

    /// <summary><c>profile</c>.</summary>
    public static StageId WriteProfiles { get; } = new(StageKind.WriteProfiles, "profile");

    /// <summary><c>evaluate</c>.</summary>
    public static StageId Evaluate { get; } = new(StageKind.Evaluate, "evaluate");

    /// <summary><c>report</c>.</summary>
    public static StageId Report { get; } = new(StageKind.Report, "report");

    /// <summary><c>person page</c>, which <c>cope personalize</c> and <c>cope run</c> write.</summary>
    public static StageId WritePersonPage { get; } = new(StageKind.WritePersonPage, "person page");

    /// <summary>What the stage does.</summary>
    public StageKind Kind { get; }

    /// <summary>The method whose answers it writes; null for stages of the whole run.</summary>
    public PredictionMethod? Method { get; }

    /// <summary>
    /// Its name for people, which is also its verb: <c>cope train tam</c>. Seeds are derived from it, so that another
    /// name would change results.
    /// </summary>
    public string Name { get; }

    /// <summary>The name as part of a file's name.</summary>
    public string FileName => Name.Replace(' ', '-');

    /// <summary>The command that runs it alone.</summary>
    public string Command => Method is null ? $"cope {Name}" : $"cope predict --method {Method.Name}";

    /// <summary>The stage that writes a method's answers: <c>predict cope</c>.</summary>
    public static StageId Predict(PredictionMethod method)
    {
        ArgumentNullException.ThrowIfNull(method);
        return new(StageKind.Predict, $"predict {method.Name}", method);
    }

    /// <summary>The stage of the task-adaptive model under a recipe; none where that is the base model alone.</summary>
    public static IEnumerable<StageId> FindTamStage(Recipe recipe)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        return recipe.UsesBaseAsTam ? [] : [TrainTam];
    }

    /// <summary>The stages whose outputs a method's answers are made with.</summary>
    public static IEnumerable<StageId> RequiredBy(MethodRequirements method)
    {
        ArgumentNullException.ThrowIfNull(method);
        if (method.Tam)
        {
            yield return TrainTam;
        }

        if (method.TamAll)
        {
            yield return TrainTamAll;
        }

        if (method.Profiles)
        {
            yield return WriteProfiles;
        }

        if (method.Sft)
        {
            yield return TrainSft;
        }

        if (method.Dpo)
        {
            yield return TrainDpo;
        }
    }

    /// <inheritdoc/>
    public override string ToString() => Name;
}
