using CoPe.Adapters;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Runs.Stages;
using CoPe.Modeling;

namespace CoPe.Experiments.Runs.Artifacts;

/// <summary>
/// The adapters of a run, handed out only where the stages that made them are current: an adapter of other settings,
/// data or weights than the run's is refused, with what changed and the command that mends it.
/// </summary>
/// <example>
/// <code>
/// var adapters = RunAdapters.Open("runs/demo");
/// using var task = adapters.ReadTam(model.Config);
/// using var user = adapters.ReadUser("1", model.Config);
/// var engine = new DecodingEngine(model, task, user, model.Config.StopTokenIds);
/// </code>
/// </example>
public sealed class RunAdapters
{
    /// <summary>The best first.</summary>
    static readonly UserAdapterKind[] Kinds = [UserAdapterKind.Dpo, UserAdapterKind.Sft];

    readonly RunDirectory _run;
    readonly bool _allowStale;
    readonly bool _recipeTrainsDpo;
    readonly OutputProblem? _tamProblem;
    readonly Dictionary<UserAdapterKind, PartProblem> _userProblems;
    readonly List<string> _warnings = [];

    /// <summary>Judges the adapters of an opened run.</summary>
    /// <param name="pipeline">The stages.</param>
    /// <param name="context">The run.</param>
    /// <param name="allowStale">Adapters that are out of date are handed out with a warning.</param>
    public RunAdapters(Pipeline pipeline, StageContext context, bool allowStale = false)
    {
        ArgumentNullException.ThrowIfNull(context);
        _run = context.Run;
        _allowStale = allowStale;
        UsesBaseAsTam = context.Recipe.UsesBaseAsTam;
        var check = new OutputCheck(pipeline, context);
        _recipeTrainsDpo = check.IsInRecipe(StageId.TrainDpo);
        _tamProblem = check.FindProblem(StageId.TrainTam);
        _userProblems = Kinds.ToDictionary(kind => kind, kind => check.FindProblemOfParts(GetStage(kind)));
    }

    /// <summary>Whether the base model alone is the task-adaptive model, so that there is no adapter of it.</summary>
    public bool UsesBaseAsTam { get; }

    /// <summary>
    /// What was passed over: adapters that are out of date and handed out all the same, or left alone.
    /// </summary>
    public IReadOnlyList<string> Warnings => _warnings;

    /// <summary>Opens the adapters of a run's folder.</summary>
    /// <param name="folder">The run's folder.</param>
    /// <param name="allowStale">Adapters that are out of date are handed out with a warning.</param>
    /// <param name="findModel">
    /// Finds the folder of the recipe's model; null takes it for a path from the current folder or beside the program.
    /// A model that is not found counts as unchanged, as data do.
    /// </param>
    /// <exception cref="RunException">The folder holds no run, or the erasure of a user was interrupted.</exception>
    public static RunAdapters Open(string folder, bool allowStale = false, Func<string, string>? findModel = null)
    {
        var run = new RunDirectory(folder);
        if (!File.Exists(run.Recipe))
        {
            throw new RunException($"{folder} holds no recipe.yaml: name the folder of a run, for example runs/demo");
        }

        var recipe = RunRecipe.Read(run);
        IReadOnlyList<string> roots = [Directory.GetCurrentDirectory(), AppContext.BaseDirectory];
        var inputs = InputPaths.FindAvailable(recipe, roots, findModel);
        using var workspace = new RunWorkspace(recipe, run, inputs);
        return new(new Pipeline(RunStages.All), new() { Workspace = workspace }, allowStale);
    }

    /// <summary>Folder of the task-adaptive model's adapter; null where that is the base model alone.</summary>
    /// <exception cref="RunException">It is missing or out of date.</exception>
    public string? FindTam()
    {
        if (UsesBaseAsTam)
        {
            return null;
        }

        AcceptProblem(_tamProblem);
        return _run.TamAdapter;
    }

    /// <summary>A user's adapter, which stands on that of <see cref="FindTam"/>: the best that the run has.</summary>
    /// <param name="user">The user.</param>
    /// <exception cref="RunException">There is none, or it is out of date.</exception>
    public UserAdapterFolder FindUser(string user) => FindAllOfUser(user)[0];

    /// <summary>A user's adapters, the best first.</summary>
    /// <param name="user">The user.</param>
    /// <exception cref="RunException">There is none, or one is out of date.</exception>
    public IReadOnlyList<UserAdapterFolder> FindAllOfUser(string user)
    {
        var found = Kinds
            .Select(kind => new UserAdapterFolder(kind, _run.GetUserAdapter(kind, user)))
            .Where(adapter => Directory.Exists(adapter.Folder))
            .ToList();
        if (found.Count == 0)
        {
            throw new RunException(DescribeMissing(user));
        }

        List<UserAdapterFolder> usable = [.. found.Where(adapter => !IsAbandoned(adapter, user, found.Count))];
        foreach (var adapter in usable)
        {
            AcceptProblem(_userProblems[adapter.Kind].Of(user));
        }

        return usable;
    }

    /// <summary>Reads the task-adaptive model's adapter; null where that is the base model alone.</summary>
    /// <param name="model">The model that it adapts.</param>
    /// <returns>A bank of one, the caller's.</returns>
    /// <exception cref="RunException">It is missing or out of date.</exception>
    /// <exception cref="ModelFileException">It does not fit the model.</exception>
    public AdapterBank? ReadTam(DecoderConfig model) =>
        FindTam() is { } folder ? AdapterFile.Read(folder, model) : null;

    /// <summary>Reads a user's adapter: the best that the run has.</summary>
    /// <param name="user">The user.</param>
    /// <param name="model">The model that it adapts.</param>
    /// <returns>A bank of one, the caller's.</returns>
    /// <exception cref="RunException">There is none, or it is out of date.</exception>
    /// <exception cref="ModelFileException">It does not fit the model.</exception>
    public AdapterBank ReadUser(string user, DecoderConfig model) => AdapterFile.Read(FindUser(user).Folder, model);

    /// <summary>
    /// DPO adapters that are left from another recipe, where the run's own trains none: the SFT adapter is the run's.
    /// </summary>
    bool IsAbandoned(UserAdapterFolder adapter, string user, int count)
    {
        var isKept = adapter.Kind != UserAdapterKind.Dpo || count == 1 || _recipeTrainsDpo || _allowStale;
        if (isKept || _userProblems[adapter.Kind].Of(user) is not { } problem)
        {
            return false;
        }

        Warn($"the recipe trains no DPO adapters, those there are left alone: {problem.Description}");
        return true;
    }

    void AcceptProblem(OutputProblem? problem)
    {
        if (problem is not null)
        {
            Warn(problem.Accept(_allowStale));
        }
    }

    void Warn(string warning)
    {
        if (!_warnings.Contains(warning))
        {
            _warnings.Add(warning);
        }
    }

    static StageId GetStage(UserAdapterKind kind) => kind == UserAdapterKind.Dpo ? StageId.TrainDpo : StageId.TrainSft;

    string DescribeMissing(string user)
    {
        const int mostNamed = 5;
        if (new FormerUserNames(_run).IsPending())
        {
            return $"{_run.Name} names folders of users as earlier versions did: "
                + $"'cope status --run {_run.Name}' renames them";
        }

        var known = TrainedUsers.List(_run);
        if (known.Count == 0)
        {
            return $"{_run.Name} has no users' adapters yet: run 'cope train sft --run {_run.Name}' first";
        }

        var more = known.Count > mostNamed ? ", ..." : "";
        return $"{_run.Name} has no adapter of user '{user}'{NearestName.Hint(user, known)} "
            + $"(there are {known.Count}: {string.Join(", ", known.Take(mostNamed))}{more})";
    }
}

/// <summary>Where an adapter of a user lies.</summary>
/// <param name="Kind">What it was trained by.</param>
/// <param name="Folder">Its folder, in PEFT's layout.</param>
public sealed record UserAdapterFolder(UserAdapterKind Kind, string Folder);
