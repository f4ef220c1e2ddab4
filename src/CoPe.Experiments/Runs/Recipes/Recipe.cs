using System.ComponentModel.DataAnnotations;
using System.Runtime.Serialization;
using CoPe.Experiments.Negatives;
using CoPe.Experiments.Settings;
using CoPe.Scoring;

namespace CoPe.Experiments.Runs.Recipes;

/// <summary>
/// The one configuration record: what a run depends on, with the paper's numbers as defaults. Its sections are the
/// options records of the libraries. In a file the keys are the property names in snake case,
/// <c>dpo.learning_rate</c>; see <see cref="SettingsFile"/>.
/// </summary>
public sealed record Recipe
{
    /// <summary>The model in the repository. It knows the invented world of the sample data and nothing else.</summary>
    public const string EmbeddedModel = "models/cope-tiny";

    /// <summary>The value of <c>tam.adapter</c> for the base model alone.</summary>
    public const string NoAdapter = "none";

    /// <summary>
    /// Model folder in Hugging Face layout, from the current folder or beside the program; the command also takes
    /// <c>org/name[@revision]</c> on the hub.
    /// </summary>
    [CountsByContent]
    public string Model { get; init; } = EmbeddedModel;

    /// <summary>Where models are held and compute.</summary>
    [InputUnlessDefault]
    public ComputeDevice Device { get; init; } = ComputeDevice.Auto;

    /// <summary>Number type of the frozen weights while training; adapters learn on what int8 and q4 round.</summary>
    public WeightDtype ModelDtype { get; init; } = WeightDtype.Auto;

    /// <summary>
    /// Number type of the weights while candidates, predictions and scores are made (predictions: unless
    /// <c>decode.dtype</c> names another); int8 and q4 are lossy, for the processor alone.
    /// </summary>
    public WeightDtype DecodeDtype { get; init; } = WeightDtype.Auto;

    /// <summary>
    /// Task: the name of a shipped one, for example <c>scholarly_title</c>, or a task file, for example
    /// <c>data/mails/task.yaml</c>.
    /// </summary>
    public string Task { get; init; } = "";

    /// <summary>Folder that holds a folder per task, or the task's files themselves.</summary>
    [CountsByContent]
    public string Data { get; init; } = "data";

    /// <summary>Folder with a prompt file per task; null takes the wording of the task file.</summary>
    [CountsByContent]
    public string? Prompts { get; init; }

    /// <summary>Seed of everything that is drawn.</summary>
    [Range(0L, long.MaxValue)]
    public long Seed
    {
        get;
        init => field = OptionGuard.Check(typeof(Recipe), value);
    } = 42;

    /// <summary>Most users, the first of the file; null takes all.</summary>
    [Range(1, int.MaxValue)]
    public int? Users
    {
        get;
        init => field = OptionGuard.Check(typeof(Recipe), value);
    }

    /// <summary>
    /// Folder with a PEFT adapter made elsewhere for each user, in folders of the users' ids, which are taken instead
    /// of training SFT adapters; null trains them.
    /// </summary>
    [CountsByContent, OptionKey("users.adapters")]
    public string? UserAdapters { get; init; }

    /// <summary>Most items of a user's history, the latest; null takes all.</summary>
    [Range(1, int.MaxValue)]
    public int? HistoryLimit
    {
        get;
        init => field = OptionGuard.Check(typeof(Recipe), value);
    }

    /// <summary>
    /// Items per user that leave the end of their history and take the place of the queries, to choose numbers on; 0
    /// keeps the real queries.
    /// </summary>
    [Range(0, int.MaxValue)]
    public int DevelopmentItems
    {
        get;
        init => field = OptionGuard.Check(typeof(Recipe), value);
    }

    /// <summary>
    /// Users of a block: users of two blocks share no pass, so that blocks can be computed on several machines
    /// (<c>cope run --shard</c>) and are the same to the bit.
    /// </summary>
    [InputUnlessDefault, Range(1, int.MaxValue)]
    public int BlockUsers
    {
        get;
        init => field = OptionGuard.Check(typeof(Recipe), value);
    } = 256;

    /// <summary>
    /// Most MB of prompts that training and selection keep in memory where users' adapters act on the answer alone;
    /// beyond it a prompt is computed again.
    /// </summary>
    [SpeedOnly, Range(0, int.MaxValue)]
    public int PromptCacheMb
    {
        get;
        init => field = OptionGuard.Check(typeof(Recipe), value);
    } = PrefixCache.DefaultMegabytes;

    /// <summary>Stage 1, the task-adaptive model.</summary>
    public TamSection Tam { get; init; } = new();

    /// <summary>Stage 2, each user's adapter.</summary>
    public SftSection Sft { get; init; } = new();

    /// <summary>Stage 3, the rejected answers.</summary>
    public NegativesOptions Negatives { get; init; } = new();

    /// <summary>Stage 4, preference training.</summary>
    public DpoSection Dpo { get; init; } = new();

    /// <summary>What stands in the prompt of the methods that learn from it alone.</summary>
    public InContextOptions Context { get; init; } = new();

    /// <summary>Stage 5, how answers are written.</summary>
    public DecodeSection Decode { get; init; } = new();

    /// <summary>
    /// Methods whose answers are written, by name: <see cref="PredictionMethod.All"/>; by default those that are not
    /// optional.
    /// </summary>
    public IReadOnlyList<string> Predict { get; init; } =
    [.. PredictionMethod.All.Where(method => !method.IsOptional).Select(method => method.Name)];

    /// <summary>Stage 6, how predictions are measured.</summary>
    public EvaluateSection Evaluate { get; init; } = new();

    /// <summary>
    /// Also write <c>mine.html</c>, the page for the person whose texts the run was made from: the first user of its
    /// data.
    /// </summary>
    [InputUnlessDefault]
    public bool PersonPage { get; init; }

    /// <summary>The methods named by <see cref="Predict"/>, in the order of the table.</summary>
    public IEnumerable<PredictionMethod> Methods() =>
        PredictionMethod.All.Where(method => Predict.Contains(method.Name));

    /// <summary>What any of the methods is made with.</summary>
    public MethodRequirements GetRequirements() =>
        Methods()
            .Select(method => method.GetRequirements(this))
            .Aggregate(new MethodRequirements(), (all, method) => all.Union(method));

    /// <summary>Number type of the weights while predicting.</summary>
    public WeightDtype PredictionDtype() => Decode.Dtype == WeightDtype.Auto ? DecodeDtype : Decode.Dtype;

    /// <summary>Whether the base model alone is the task-adaptive model: <c>tam.adapter: none</c>.</summary>
    public bool UsesBaseAsTam => Tam.Adapter == NoAdapter;

    /// <summary>
    /// Whether each user is trained alone: then what else is made of a user shares no pass with others either, and is
    /// the same to the bit whoever they are.
    /// </summary>
    internal bool IsolatesUsers => Sft.UsersAtOnce == 1 && Dpo.UsersAtOnce == 1;

    /// <summary>Whether any of its models has rounded weights.</summary>
    public bool HasQuantizedWeights() =>
        new[] { ModelDtype, DecodeDtype, Decode.Dtype }.Any(dtype => ModelLoader.GetQuantization(dtype) is not null);

    /// <summary>Reads and validates a recipe; <paramref name="overrides"/> are <c>dotted.key=value</c>.</summary>
    /// <exception cref="SettingsException">The file or an override is wrong; the message says where.</exception>
    public static Recipe Read(string path, IReadOnlyList<string>? overrides = null) =>
        Read(path, overrides ?? [], recipe => RecipePaths.ResolveKept(recipe, path));

    /// <summary>Reads a recipe whose paths are resolved before the overrides are put over them.</summary>
    internal static Recipe Read(string path, IReadOnlyList<string> overrides, Func<Recipe, Recipe> resolvePaths)
    {
        var recipe = SettingsFile.Override(resolvePaths(SettingsFile.Read<Recipe>(path, [])), overrides);
        RecipeValidation.CheckFile(recipe, path, overrides);
        return recipe;
    }

    /// <summary>Checks what the keys must satisfy together; the range of each is checked where it is set.</summary>
    /// <exception cref="SettingsException">They contradict each other.</exception>
    public void Validate() => RecipeValidation.Check(this);

    /// <summary>The recipe as a file, every default written out.</summary>
    public string ToYaml() => SettingsFile.ToYaml(this);

    /// <summary>
    /// Leaf keys and values, <c>dpo.beta</c> to <c>0.01</c>, of the sections and keys named; all of them when none is.
    /// </summary>
    public IReadOnlyDictionary<string, string> Values(params IReadOnlyList<string> keys) =>
        SettingsFile.Values(this, keys);

    /// <summary>Keys and values that the outputs of a stage depend on, of the sections and keys named.</summary>
    internal IEnumerable<KeyValuePair<string, string>> ListInputs(IReadOnlyList<string> keys)
    {
        if (keys.Count == 0)
        {
            return [];
        }

        var defaults = SettingsFile.FindLeaves(new Recipe(), keys).ToDictionary(leaf => leaf.Key, leaf => leaf.Value);
        return SettingsFile
            .FindLeaves(this, keys)
            .Where(leaf => !leaf.IsSpeedOnly && !CountsByContent(leaf))
            .Where(leaf => !IsInputUnlessDefault(leaf) || leaf.Value != defaults[leaf.Key])
            .Select(leaf => KeyValuePair.Create(leaf.Key, leaf.Value));
    }

    static bool CountsByContent(SettingValue leaf) =>
        leaf.Property.Property.IsDefined(typeof(CountsByContentAttribute), inherit: true);

    static bool IsInputUnlessDefault(SettingValue leaf) =>
        leaf.Property.Property.IsDefined(typeof(InputUnlessDefaultAttribute), inherit: true);
}

/// <summary>Where a model is held and computes.</summary>
public enum ComputeDevice
{
    /// <summary>An NVIDIA GPU where torch finds one, else the processor; with int8 weights the processor.</summary>
    Auto,

    /// <summary>The processor.</summary>
    Cpu,

    /// <summary>The first NVIDIA GPU; needs a program built with <c>-p:TorchBackend=cuda</c>.</summary>
    Cuda,
}

/// <summary>Number type in which a model's weights are held and multiplied.</summary>
public enum WeightDtype
{
    /// <summary>
    /// The checkpoint's own; float32 for a bf16 model of up to 32 MB on a processor that does not multiply bf16 (x86
    /// without AVX-512, Arm).
    /// </summary>
    Auto,

    /// <summary>bfloat16.</summary>
    Bf16,

    /// <summary>float32.</summary>
    Fp32,

    /// <summary>int8 with a factor per row, on the processor alone: lossy.</summary>
    [EnumMember(Value = "int8")]
    Int8,

    /// <summary>4 bits with a scale and a minimum for each 32 weights, on the processor alone: lossy.</summary>
    [EnumMember(Value = "q4")]
    Q4,
}

/// <summary>
/// Marks a key of a recipe that names a file or folder: stages depend on its content, wherever it lies, and a run
/// remembers it so that it holds from any folder (<see cref="RecipePaths"/>).
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
sealed class CountsByContentAttribute : Attribute;
