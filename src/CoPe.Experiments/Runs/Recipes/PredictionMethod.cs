using CoPe.Experiments.Settings;

namespace CoPe.Experiments.Runs.Recipes;

/// <summary>
/// A row of the results table, as a value: which adapters the expert has, what stands in the prompt, and whether an
/// amateur is contrasted.
/// </summary>
public sealed record PredictionMethod
{
    /// <summary>Name in recipes, on the command line and of the prediction file.</summary>
    public required string Name { get; init; }

    /// <summary>Heading in tables.</summary>
    public required string Title { get; init; }

    /// <summary>The expert's adapter for the task.</summary>
    public TaskAdapterKind TaskAdapter { get; init; } = TaskAdapterKind.Others;

    /// <summary>The user's adapter on top of it.</summary>
    public UserAdapterKind UserAdapter { get; init; } = UserAdapterKind.None;

    /// <summary>What of the user's history stands in the prompt.</summary>
    public ContextKind Context { get; init; } = ContextKind.None;

    /// <summary>An amateur is contrasted.</summary>
    public bool Contrasts { get; init; }

    /// <summary>The amateur of this method, whatever the recipe says; null takes the recipe's.</summary>
    public AmateurKind? Amateur { get; init; }

    /// <summary>Run only where a recipe names it.</summary>
    public bool IsOptional { get; init; }

    /// <summary>Every method, in the order of the table.</summary>
    public static IReadOnlyList<PredictionMethod> All { get; } =
    [
        new()
        {
            Name = "base",
            Title = "base",
            TaskAdapter = TaskAdapterKind.None,
        },
        new()
        {
            Name = "recent",
            Title = "recent items",
            TaskAdapter = TaskAdapterKind.None,
            Context = ContextKind.Recent,
            IsOptional = true,
        },
        new()
        {
            Name = "rag",
            Title = "RAG",
            TaskAdapter = TaskAdapterKind.None,
            Context = ContextKind.Similar,
            IsOptional = true,
        },
        new()
        {
            Name = "pag",
            Title = "PAG",
            TaskAdapter = TaskAdapterKind.None,
            Context = ContextKind.Profile,
            IsOptional = true,
        },
        new() { Name = "tam", Title = "TAM" },
        new()
        {
            Name = "tam-all",
            Title = "TAM-all",
            TaskAdapter = TaskAdapterKind.Everyone,
            IsOptional = true,
        },
        new()
        {
            Name = "sft",
            Title = "SFT",
            UserAdapter = UserAdapterKind.Sft,
        },
        new()
        {
            Name = "sft+cd",
            Title = "SFT+CD",
            UserAdapter = UserAdapterKind.Sft,
            Contrasts = true,
        },
        new()
        {
            Name = "dpo",
            Title = "DPO",
            UserAdapter = UserAdapterKind.Dpo,
        },
        new()
        {
            Name = "cope-sft",
            Title = "CoPe/SFT",
            UserAdapter = UserAdapterKind.Dpo,
            Contrasts = true,
            Amateur = AmateurKind.Sft,
            IsOptional = true,
        },
        new()
        {
            Name = "cope",
            Title = "CoPe",
            UserAdapter = UserAdapterKind.Dpo,
            Contrasts = true,
        },
    ];

    /// <summary>The method of a name.</summary>
    /// <exception cref="SettingsException">There is none.</exception>
    public static PredictionMethod Find(string name) =>
        All.FirstOrDefault(method => method.Name == name) ?? throw new SettingsException(DescribeUnknown(name));

    /// <summary>Heading of a method by its name, which is the heading of one that is not known here.</summary>
    public static string GetTitle(string name) => All.FirstOrDefault(method => method.Name == name)?.Title ?? name;

    /// <summary>Names in the order of the table; those that are not known here come last, by name.</summary>
    public static IEnumerable<string> SortByTableOrder(IEnumerable<string> names)
    {
        var places = All.Select((method, place) => (method.Name, place)).ToDictionary();
        return names
            .OrderBy(name => places.GetValueOrDefault(name, All.Count))
            .ThenBy(name => name, StringComparer.Ordinal);
    }

    /// <summary>
    /// The expert's adapter for the task under a recipe, which may take the task-adaptive model where the history is in
    /// the prompt.
    /// </summary>
    public TaskAdapterKind ResolveTaskAdapter(Recipe recipe)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        var adapter = GetTaskModel(recipe);
        return adapter == TaskAdapterKind.Others && recipe.UsesBaseAsTam ? TaskAdapterKind.None : adapter;
    }

    /// <summary>The amateur under a recipe; null where none is contrasted.</summary>
    public AmateurKind? ResolveAmateur(Recipe recipe)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        return Contrasts ? Amateur ?? recipe.Decode.Amateur : null;
    }

    /// <summary>
    /// Whether it uses the task-adaptive model under a recipe, which may be the base model alone
    /// (<see cref="Recipe.UsesBaseAsTam"/>).
    /// </summary>
    public bool UsesTam(Recipe recipe) =>
        GetTaskModel(recipe) == TaskAdapterKind.Others || ResolveAmateur(recipe) is not null;

    /// <summary>What its answers are made with under a recipe.</summary>
    public MethodRequirements GetRequirements(Recipe recipe)
    {
        var amateur = ResolveAmateur(recipe);
        return new()
        {
            Tam = UsesTam(recipe) && !recipe.UsesBaseAsTam,
            TamAll = TaskAdapter == TaskAdapterKind.Everyone,
            Sft = UserAdapter == UserAdapterKind.Sft || amateur == AmateurKind.Sft,
            Dpo = UserAdapter == UserAdapterKind.Dpo,
            Profiles = Context == ContextKind.Profile,
        };
    }

    /// <summary>The model for the task, whether or not it has an adapter.</summary>
    TaskAdapterKind GetTaskModel(Recipe recipe) =>
        Context != ContextKind.None && recipe.Context.Tam ? TaskAdapterKind.Others : TaskAdapter;

    /// <summary>Says that there is no method of a name, and which there are.</summary>
    internal static string DescribeUnknown(string name)
    {
        var names = All.Select(method => method.Name).ToList();
        return $"unknown method '{name}'{NearestName.Hint(name, names)} (there are {string.Join(", ", names)})";
    }
}

/// <summary>
/// What the answers of a method, or of several, are made with. Everything that follows from it - the stages that must
/// be complete, the adapters that are loaded - is derived from this one record.
/// </summary>
public sealed record MethodRequirements
{
    /// <summary>The task-adaptive model: as expert, below a user's adapter, or as amateur.</summary>
    public bool Tam { get; init; }

    /// <summary>The adapter trained on everyone.</summary>
    public bool TamAll { get; init; }

    /// <summary>The users' SFT adapters.</summary>
    public bool Sft { get; init; }

    /// <summary>The users' DPO adapters.</summary>
    public bool Dpo { get; init; }

    /// <summary>Descriptions of the users.</summary>
    public bool Profiles { get; init; }

    /// <summary>What either needs.</summary>
    public MethodRequirements Union(MethodRequirements other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return new()
        {
            Tam = Tam || other.Tam,
            TamAll = TamAll || other.TamAll,
            Sft = Sft || other.Sft,
            Dpo = Dpo || other.Dpo,
            Profiles = Profiles || other.Profiles,
        };
    }
}

/// <summary>Which adapter for the task a model has.</summary>
public enum TaskAdapterKind
{
    /// <summary>None: the base model.</summary>
    None,

    /// <summary>The one trained on the other users' queries: the task-adaptive model.</summary>
    Others,

    /// <summary>The one trained on these and on the histories of the users themselves, all in one.</summary>
    Everyone,
}

/// <summary>Which of a user's adapters a model has.</summary>
public enum UserAdapterKind
{
    /// <summary>None.</summary>
    None,

    /// <summary>The one of stage 2.</summary>
    Sft,

    /// <summary>The one of stage 4.</summary>
    Dpo,
}

/// <summary>What of a user's history stands in the prompt beside the query.</summary>
public enum ContextKind
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>The latest items.</summary>
    Recent,

    /// <summary>The items nearest to the query by BM25 (RAG).</summary>
    Similar,

    /// <summary>A description of the user that the model wrote from their history (PAG).</summary>
    Profile,
}

/// <summary>The amateur of contrastive decoding.</summary>
public enum AmateurKind
{
    /// <summary>The task-adaptive model (the paper's).</summary>
    Tam,

    /// <summary>The base model without any adapter.</summary>
    Base,

    /// <summary>The user's SFT adapter on the task-adaptive model.</summary>
    Sft,
}
