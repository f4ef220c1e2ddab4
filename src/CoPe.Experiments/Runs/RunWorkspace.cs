using CoPe.Adapters;
using CoPe.Chat;
using CoPe.Decoding;
using CoPe.Experiments.Data;
using CoPe.Experiments.Runs.Blocks;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Tasks;
using CoPe.Modeling;
using CoPe.Scoring;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using TorchSharp;

namespace CoPe.Experiments.Runs;

/// <summary>
/// A run and what its stages share, each thing loaded on first use and once in a process: the task's data, its wording,
/// the one copy of the model's weights, and the adapters in the run's folder. Owns and disposes them.
/// </summary>
public sealed class RunWorkspace : IDisposable
{
    readonly ILogger _log;
    readonly RunWorkspace? _whole;
    readonly Lazy<TaskDefinition> _definition;
    readonly Lazy<PromptTemplate> _template;
    readonly Lazy<ConversationEncoder> _encoder;
    readonly Lazy<LampDataset> _dataset;
    readonly Lazy<UserBlocks> _blocks;
    readonly Lazy<List<StageInput>> _addedUsers;
    readonly Lazy<ForgottenUsers> _forgottenUsers;
    readonly Lazy<Dictionary<string, UserFingerprint>> _userFingerprints;
    readonly Lazy<DecoderConfig> _config;
    readonly Lazy<torch.Device> _device;
    readonly LoadedOnce<AdapterBank> _tam;
    readonly LoadedOnce<AdapterBank> _tamAll;
    (WeightDtype Dtype, CausalLm Model)? _model;

    /// <summary>Opens a run; nothing is read yet.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="run">The run's paths.</param>
    /// <param name="inputs">Where the recipe's model, data and prompt really lie.</param>
    /// <param name="log">Takes messages about what is loaded; null for none.</param>
    public RunWorkspace(Recipe recipe, RunDirectory run, InputPaths inputs, ILogger? log = null)
        : this(recipe, run, inputs, new FileHashes(run.FileHashes), dataset: null, log) { }

    /// <summary>
    /// Opens a run of some users of another, whose model, tokenizer and users it reads; the other must outlive it.
    /// </summary>
    /// <param name="whole">The run of all users.</param>
    /// <param name="run">The paths of the new run.</param>
    /// <param name="users">Its users.</param>
    internal RunWorkspace(RunWorkspace whole, RunDirectory run, IReadOnlyList<LampUser> users)
        : this(
            whole.Recipe,
            run,
            whole.Inputs,
            whole.Hashes.StoreIn(run.FileHashes),
            whole.Dataset with
            {
                Users = users,
            },
            whole._log
        )
    {
        _whole = whole;
        Plan = whole.Plan;
    }

    RunWorkspace(
        Recipe recipe,
        RunDirectory run,
        InputPaths inputs,
        FileHashes hashes,
        LampDataset? dataset,
        ILogger? log
    )
    {
        Recipe = recipe;
        Run = run;
        Inputs = inputs;
        Hashes = hashes;
        Prompts = new(recipe.PromptCacheMb);
        _log = log ?? NullLogger.Instance;
        _definition = Load(() => Hashes.ReadUnchanged([Inputs.TaskPath], () => TaskFile.Read(Inputs.TaskPath)));
        _template = Load(ReadTemplate);
        _encoder = Load(() => _whole?.Encoder ?? ReadModelFiles(() => ConversationEncoder.Load(Inputs.Model)));
        _dataset = Load(() => dataset ?? ReadDataset());
        _blocks = Load(() => new UserBlocks(Dataset.Users, recipe.BlockUsers));
        _addedUsers = Load(() => _whole?._addedUsers.Value ?? AddedUsers.ListInputs(Run).ToList());
        _forgottenUsers = Load(() => _whole?.Forgotten ?? ForgottenUsers.Read(Run));
        _userFingerprints = Load(() => Dataset.Users.ToDictionary(user => user.Id, ComputeFingerprint));
        _config = Load(() => ReadModelFiles(() => DecoderConfig.Read(Inputs.Model)));
        _device = Load(() => DeviceSelector.Select(Recipe));
        _tam = new(() => ReadTaskAdapter(Run.TamAdapter));
        _tamAll = new(() => ReadTaskAdapter(Run.TamAllAdapter));
    }

    /// <summary>The recipe.</summary>
    public Recipe Recipe { get; }

    /// <summary>The run's paths.</summary>
    public RunDirectory Run { get; }

    /// <summary>Where the recipe's model, data and prompt really lie.</summary>
    public InputPaths Inputs { get; private set; }

    /// <summary>Whether it has some of the users of another run.</summary>
    internal bool IsPart => _whole is not null;

    /// <summary>Hashes of the input files.</summary>
    internal FileHashes Hashes { get; }

    /// <summary>Prompts as the task-adaptive model computes them, for training and selection.</summary>
    internal PrefixCache Prompts { get; }

    /// <summary>The configuration of the model.</summary>
    internal DecoderConfig ModelConfig => _config.Value;

    /// <summary>The task.</summary>
    public LampTask Task => _definition.Value.Task;

    /// <summary>The wording.</summary>
    public PromptTemplate Template => _template.Value;

    /// <summary>The tokenizer and the chat template.</summary>
    public ConversationEncoder Encoder => _encoder.Value;

    /// <summary>Ids after which an answer of the model is over.</summary>
    internal IReadOnlyList<int> StopTokenIds => StopTokens.Find(_config.Value, Encoder);

    /// <summary>
    /// The users as the recipe limits them; with development items, these take the place of the queries.
    /// </summary>
    public LampDataset Dataset => _dataset.Value;

    /// <summary>The files of added users as inputs of stages: as they were when they were first asked for.</summary>
    internal IReadOnlyList<StageInput> AddedUserInputs => _addedUsers.Value;

    /// <summary>The users whom the run has forgotten, as it was when first asked for.</summary>
    internal ForgottenUsers Forgotten => _forgottenUsers.Value;

    /// <summary>The same where it is read already.</summary>
    internal LampDataset? LoadedDataset => _dataset.IsValueCreated ? _dataset.Value : null;

    /// <summary>The users in blocks.</summary>
    internal UserBlocks Blocks => _blocks.Value;

    /// <summary>What the run's stages are computed by; null where none has been.</summary>
    internal RunPlan? Plan { get; set; }

    /// <summary>Tokens of a pass of a training: the recipe's, else the plan's.</summary>
    internal int ChooseTokensPerPass(TrainingSection settings) =>
        settings.TokensPerPass ?? Plan?.TokensPerPass ?? TrainingMemory.ChooseTokensPerPass(TrainingModel, settings);

    /// <summary>Most rows of a pass of decoding: the recipe's, else the plan's.</summary>
    internal int RowsPerPass => Recipe.Decode.MaxRows ?? Plan?.RowsPerPass ?? new EngineOptions().MaxRows;

    /// <summary>Tokens that prompt and answer may have together.</summary>
    public int ContextLength => _config.Value.MaxPositions;

    /// <summary>Where models and adapters are held and compute.</summary>
    internal torch.Device Device => _device.Value;

    /// <summary>The model for training.</summary>
    internal CausalLm TrainingModel => LoadModel(Recipe.ModelDtype);

    /// <summary>The model for sampling candidates and for scoring.</summary>
    internal CausalLm DecodingModel => LoadModel(Recipe.DecodeDtype);

    /// <summary>The model for predictions and chat.</summary>
    internal CausalLm PredictionModel => LoadModel(Recipe.PredictionDtype());

    /// <summary>The task-adaptive model's adapter; null where that is the base model alone.</summary>
    internal AdapterBank? Tam => Recipe.UsesBaseAsTam ? null : _tam.Value;

    /// <summary>The adapters of the task-adaptive model.</summary>
    internal AdapterSelection TamSelection => AdapterSelection.Create(!Recipe.UsesBaseAsTam, null);

    /// <summary>The adapter trained on everyone.</summary>
    internal AdapterBank TamAll => _tamAll.Value;

    /// <summary>An adapter for the task; null for none.</summary>
    internal AdapterBank? TaskAdapter(TaskAdapterKind kind) =>
        kind switch
        {
            TaskAdapterKind.Others => Tam,
            TaskAdapterKind.Everyone => TamAll,
            _ => null,
        };

    /// <summary>Disposes the task-adaptive model's adapter, which is about to be rebuilt.</summary>
    internal void ReleaseTam()
    {
        Prompts.Clear();
        _tam.Release();
    }

    /// <summary>Disposes the adapter trained on everyone, which is about to be rebuilt.</summary>
    internal void ReleaseTamAll() => _tamAll.Release();

    /// <summary>Reads the same data from another folder from now on, to which they were moved.</summary>
    internal void FollowData(string folder)
    {
        Hashes.Follow(Inputs.Data, folder);
        Inputs = Inputs with { Data = folder };
    }

    /// <summary>
    /// The adapters of some users, of each kind in their order, read from the run's folder; the caller's.
    /// </summary>
    internal AdapterBank ReadUserAdapters(IEnumerable<UserAdapterKind> kinds, IReadOnlyList<string> users)
    {
        var folders = kinds.SelectMany(kind => users.Select(user => Run.GetUserAdapter(kind, user)));
        return AdapterFile.ReadAll([.. folders], _config.Value).MoveTo(Device);
    }

    /// <summary>Every history item of every user, or each user's latest.</summary>
    internal IEnumerable<UserItem> ListHistoryItems(int? latest) =>
        from user in Dataset.Users
        from place in Enumerable.Range(0, user.History.Count).TakeLast(latest ?? user.History.Count)
        select new UserItem(user, place);

    /// <summary>Fingerprints of what stages read of each user, by id in the order of the dataset.</summary>
    internal IReadOnlyDictionary<string, UserFingerprint> UserFingerprints => _userFingerprints.Value;

    /// <summary>The adapters of a user's model, which stands on the task-adaptive model.</summary>
    /// <param name="index">The adapter's place in the bank of user adapters.</param>
    internal AdapterSelection UserSelection(int index) => AdapterSelection.Create(!Recipe.UsesBaseAsTam, index);

    /// <summary>
    /// The shape of new adapters: of a recipe's section, and where they act on the answer alone with the header that
    /// the model's template opens it with.
    /// </summary>
    internal LoraConfig ResolveLora(LoraConfig lora) =>
        lora.Active == ActivePositions.Answer ? lora with { InvocationTokens = Encoder.AssistantHeader } : lora;

    /// <summary>A decoding engine over the one model.</summary>
    /// <param name="stage">Name in progress reports.</param>
    /// <param name="task">The task's adapter; null for none.</param>
    /// <param name="users">The users' adapters; null for none.</param>
    /// <param name="model">The model; null takes <see cref="DecodingModel"/>.</param>
    /// <param name="trace">Takes where the time goes; null measures nothing.</param>
    /// <param name="cache">Keeps prompts between calls; null keeps none.</param>
    internal DecodingEngine CreateEngine(
        string stage,
        AdapterBank? task,
        AdapterBank? users,
        CausalLm? model = null,
        DecodingTrace? trace = null,
        PromptCache? cache = null
    )
    {
        var options = new EngineOptions
        {
            Stage = stage,
            Trace = trace,
            PromptCache = cache,
            MaxRows = RowsPerPass,
        };
        return new(model ?? DecodingModel, task, users, StopTokenIds, options);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        ReleaseTam(); // with the prompts, which keep the model
        ReleaseTamAll();
        _model?.Model.Dispose();
        _model = null;
    }

    /// <summary>Does not remember a failure: the next use tries again.</summary>
    static Lazy<T> Load<T>(Func<T> load) => new(load, LazyThreadSafetyMode.PublicationOnly);

    UserFingerprint ComputeFingerprint(LampUser user)
    {
        var fingerprint = UserFingerprint.Compute(user);
        return Recipe.UserAdapters is null
            ? fingerprint
            : fingerprint with
            {
                Adapter = new ImportedAdapters(this).HashUser(user.Id),
            };
    }

    PromptTemplate ReadTemplate() =>
        Inputs.Prompt is { } prompt
            ? Hashes.ReadUnchanged([prompt], () => PromptFile.Read(Path.GetDirectoryName(prompt)!, Task))
            : _definition.Value.Template;

    /// <summary>The users, from files that do not change meanwhile.</summary>
    LampDataset ReadDataset()
    {
        var added = AddedUserInputs;
        var files = Inputs.ListFiles(InputKinds.Data).Select(file => file.FullPath);
        var dataset = Hashes.ReadUnchanged(files, () => new RunDatasetReader(this, _log).Read());
        return AddedUsers.ListInputs(Run).SequenceEqual(added)
            ? dataset
            : throw new RunException($"{Run.AddedUsers} changed while the command was at work: run the command again");
    }

    /// <summary>Reads something of the model, whose files must not change meanwhile.</summary>
    T ReadModelFiles<T>(Func<T> read) =>
        Hashes.ReadUnchanged(
            InputPaths.IsModel(Inputs.Model) ? Inputs.ListFiles(InputKinds.Model).Select(file => file.FullPath) : [],
            read
        );

    AdapterBank ReadTaskAdapter(string folder) => AdapterFile.Read(folder, _config.Value).MoveTo(Device);

    /// <summary>One copy of the weights: a model of another number type is disposed first.</summary>
    CausalLm LoadModel(WeightDtype dtype)
    {
        if (_whole is not null)
        {
            return _whole.LoadModel(dtype);
        }

        if (_model is { } loaded)
        {
            if (loaded.Dtype == dtype)
            {
                return loaded.Model;
            }

            Prompts.Clear();
            loaded.Model.Dispose();
            _model = null;
        }

        if (ModelLoader.GetWarning(dtype) is { } warning)
        {
            _log.LogWarning("{Warning}", warning);
        }

        if (Device.type != DeviceType.CPU)
        {
            _log.LogInformation("The model computes on {Device}", Device);
        }

        var model = ReadModelFiles(() => ModelLoader.Load(Inputs.Model, dtype, Device, WarnOfCache));
        _model = (dtype, model);
        return model;

        void WarnOfCache(string message) => _log.LogWarning("{Warning}", message);
    }
}

/// <summary>A history item of a user, which is read where it is asked for.</summary>
/// <param name="User">The user.</param>
/// <param name="Place">Where in their history it stands.</param>
readonly record struct UserItem(LampUser User, int Place)
{
    /// <summary>The item.</summary>
    public HistoryItem Item => User.History[Place];
}
