using CoPe.Adapters;
using CoPe.Chat;
using CoPe.Decoding;
using CoPe.Experiments.Data;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Tasks;
using CoPe.Modeling;
using CoPe.Scoring;
using Microsoft.Extensions.Logging;

namespace CoPe.Experiments.Runs.Stages;

/// <summary>
/// What the stages read, each thing loaded once in a process: the task's data, its wording, the model and the adapters
/// that stand in the run's folder.
/// </summary>
/// <param name="context">The stage at work.</param>
sealed class RunWorkspace(StageContext context)
{
    /// <summary>The task.</summary>
    public LampTask Task => Definition.Task;

    /// <summary>The wording.</summary>
    public PromptTemplate Template =>
        context.Shared.Get(
            "template",
            () =>
                context.Inputs.Prompt is { } prompt
                    ? PromptFile.Read(Path.GetDirectoryName(prompt)!, Task)
                    : Definition.Template
        );

    TaskDefinition Definition => context.Shared.Get("task", () => TaskFile.Read(context.Inputs.TaskPath));

    /// <summary>The tokenizer and the chat template.</summary>
    public ConversationEncoder Encoder =>
        context.Shared.Get("encoder", () => ConversationEncoder.Load(context.Inputs.Model));

    /// <summary>
    /// The users as the recipe limits them; with development items, these take the place of the queries.
    /// </summary>
    public LampDataset Dataset => context.Shared.Get("dataset", LoadDataset);

    /// <summary>Where models and adapters lie.</summary>
    public TorchSharp.torch.Device Device => context.Shared.Get("device", () => DeviceSelector.Select(context.Recipe));

    /// <summary>The model for training.</summary>
    public CausalLm TrainingModel => LoadModel(context.Recipe.ModelDtype);

    /// <summary>The model for decoding and scoring.</summary>
    public CausalLm DecodingModel => LoadModel(context.Recipe.DecodeDtype);

    /// <summary>The model for predictions and chat.</summary>
    public CausalLm PredictionModel => LoadModel(context.Recipe.PredictionDtype());

    /// <summary>The task-adaptive model's adapter.</summary>
    public AdapterBank Tam =>
        context.Shared.Get(
            "adapter tam",
            () => AdapterFile.Read(context.Run.TamAdapter, TrainingConfig).MoveTo(Device)
        );

    /// <summary>An adapter for the task; null for none.</summary>
    public AdapterBank? TaskAdapter(TaskAdapterKind kind) =>
        kind switch
        {
            TaskAdapterKind.Others => Tam,
            TaskAdapterKind.Everyone => context.Shared.Get(
                "adapter tam-all",
                () => AdapterFile.Read(context.Run.TamAllAdapter, TrainingConfig).MoveTo(Device)
            ),
            _ => null,
        };

    DecoderConfig TrainingConfig => context.Shared.Get("config", () => DecoderConfig.Read(context.Inputs.Model));

    /// <summary>Tokens that prompt and answer may have together.</summary>
    public int ContextLength => TrainingConfig.MaxPositions;

    /// <summary>The adapters of every user, in the order of the dataset, as one bank; null for none.</summary>
    public AdapterBank? UserAdapters(UserAdapterKind kind) =>
        kind switch
        {
            UserAdapterKind.Sft => context.Shared.Get("adapters sft", () => ReadUserAdapters(context.Run.SftAdapter)),
            UserAdapterKind.Dpo => context.Shared.Get("adapters dpo", () => ReadUserAdapters(context.Run.DpoAdapter)),
            _ => null,
        };

    /// <summary>Forgets adapters that a stage is about to make anew.</summary>
    public void Release(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            context.Shared.Release(name);
        }
    }

    /// <summary>A copy of some users' adapters, by their places in the dataset.</summary>
    public AdapterBank CopyUserAdapters(UserAdapterKind kind, IReadOnlyList<int> users)
    {
        var all = UserAdapters(kind) ?? throw new ArgumentException("no adapters to select from", nameof(kind));
        var chosen = users.Select(all.Extract).ToList();
        try
        {
            return AdapterBank.Stack(chosen);
        }
        finally
        {
            foreach (var adapter in chosen)
            {
                adapter.Dispose();
            }
        }
    }

    /// <summary>Every history item of every user, or each user's latest.</summary>
    public IEnumerable<UserItem> ListHistoryItems(int? latest) =>
        Dataset.Users.SelectMany(user =>
            user.History.TakeLast(latest ?? user.History.Count).Select(item => new UserItem(user, item))
        );

    /// <summary>A user's place in the dataset and in the banks of all users.</summary>
    public int GetUserIndex(string user) =>
        context.Shared.Get("user places", () => Dataset.Users.Select((one, index) => (one.Id, index)).ToDictionary())[
            user
        ];

    /// <summary>The decoding engine over the one model, <see cref="DecodingModel"/> unless another is named.</summary>
    public DecodingEngine CreateEngine(string stage, AdapterBank? task, AdapterBank? users, CausalLm? model = null) =>
        new(
            model ?? DecodingModel,
            task,
            users,
            TrainingConfig.StopTokenIds,
            (
                context.Recipe.Decode.MaxRows is { } rows ? new EngineOptions { MaxRows = rows } : new EngineOptions()
            ) with
            {
                Stage = stage,
                Trace = context.Trace,
            }
        );

    /// <summary>The teacher-forced scorer over the one model.</summary>
    public SequenceScorer CreateScorer(UserAdapterKind kind) => new(DecodingModel, Tam, UserAdapters(kind));

    AdapterBank ReadUserAdapters(Func<string, string> folderOf)
    {
        var adapters = new List<AdapterBank>();
        try
        {
            foreach (var user in Dataset.Users)
            {
                adapters.Add(AdapterFile.Read(folderOf(user.Id), TrainingConfig));
            }

            return AdapterBank.Stack(adapters).MoveTo(Device);
        }
        finally
        {
            foreach (var adapter in adapters)
            {
                adapter.Dispose();
            }
        }
    }

    CausalLm LoadModel(WeightDtype dtype)
    {
        // One copy of the weights: the model of the other number type, if there is one, goes first.
        foreach (var other in Enum.GetValues<WeightDtype>())
        {
            if (other != dtype)
            {
                context.Shared.Release($"model {other}");
            }
        }

        return context.Shared.Get(
            $"model {dtype}",
            () =>
            {
                if (dtype == WeightDtype.Int8)
                {
                    context.Log.LogWarning("{Warning}", ModelLoader.Int8Warning);
                }

                if (Device.type != TorchSharp.DeviceType.CPU)
                {
                    context.Log.LogInformation("The model computes on {Device}", Device);
                }

                return ModelLoader.Load(context.Inputs.Model, dtype, Device);
            }
        );
    }

    /// <summary>The users who can be split, their latest items as queries.</summary>
    LampDataset SplitDevelopment(LampDataset dataset, int items)
    {
        var split = DevelopmentSplit.Create(
            dataset,
            Template,
            new DevelopmentSplitOptions { QueriesPerUser = items, LargestFraction = 0.5 }
        );
        return split.Users.Count > 0
            ? split
            : throw new RunException(
                $"none of the {dataset.Users.Count} users in {context.Inputs.Data} has two history items, and development_items makes queries of the latest, so that nothing is left to learn from: take users with longer histories (more of them with --users), or set development_items=0"
            );
    }

    /// <summary>
    /// The histories cut to their latest items after the development queries were taken, so that these are the same
    /// whatever the limit.
    /// </summary>
    static LampDataset LimitHistories(LampDataset dataset, int? latest) =>
        latest is not { } most
            ? dataset
            : dataset with
            {
                Users = [.. dataset.Users.Select(user => user with { History = [.. user.History.TakeLast(most)] })],
            };

    LampDataset LoadDataset()
    {
        var recipe = context.Recipe;
        var forgotten = ForgottenUsers.Read(context.Run);
        var most = forgotten.RemainingLimit(recipe.Users);
        var options = new LampReadOptions
        {
            MaxUsers = most > 0 ? most : null,
            ExcludeUser = forgotten.Users.Count > 0 ? forgotten.Contains : null,
            HistoryCap = recipe.DevelopmentItems > 0 ? null : recipe.HistoryLimit,
        };
        var dataset = LampFiles.Read(context.Inputs.Data, Task, options);
        if (most == 0 || dataset.Users.Count == 0)
        {
            throw new RunException(
                $"{context.Run.Name} has forgotten every user of {context.Inputs.Data}: start a new run in another folder"
            );
        }

        if (recipe.DevelopmentItems > 0)
        {
            dataset = LimitHistories(SplitDevelopment(dataset, recipe.DevelopmentItems), recipe.HistoryLimit);
        }

        context.Log.LogInformation(
            "{Task}: users {Users}, history items {Items}, queries {Queries}; others {Others}, queries {OtherQueries}",
            Task.Name,
            dataset.Users.Count,
            dataset.Users.Sum(user => user.History.Count),
            dataset.Users.Sum(user => user.Queries.Count),
            dataset.Others.Count,
            dataset.Others.Sum(user => user.Queries.Count)
        );
        return dataset;
    }
}
