using CoPe.Adapters;
using CoPe.Modeling;
using CoPe.Scoring;
using CoPe.Testing;
using CoPe.Training;

namespace CoPe.Tests.Training;

/// <summary>Users whose adapters act on the answer alone, and one whose adapter acts everywhere.</summary>
static class AnswerTraining
{
    static readonly int[] Invocation = [61, 62];

    public static readonly LoraConfig Everywhere = new()
    {
        Rank = 4,
        Alpha = 8,
        TargetModules = ["q_proj", "k_proj", "v_proj", "o_proj", "down_proj"],
        Dropout = 0.1,
    };

    public static readonly LoraConfig Answer = Everywhere with
    {
        Active = ActivePositions.Answer,
        InvocationTokens = Invocation,
    };

    /// <summary>
    /// An epsilon far above the noise of rounding, which a gradient that is nearly zero otherwise consists of: AdamW
    /// would take whole steps by it.
    /// </summary>
    public static readonly TrainingOptions Options = TinyTraining.Options with { Optimizer = new() { Epsilon = 1e-3 } };

    /// <summary>Of each user.</summary>
    public static readonly LoraConfig[] Kinds = [Answer, Everywhere, Answer];

    static readonly string[] Names = ["ann", "bob", "cleo"];

    /// <summary>
    /// Of each user: prompts that end in the tokens, or have them twice or nowhere or at the start, and responses that
    /// hold them themselves.
    /// </summary>
    public static readonly SupervisedExample[][] Histories =
    [
        [.. CreateHistory(1, 4), new("twice", [5, 61, 62, 4, 61, 62, 9], [1, 2, 60]), new("never", [3, 9, 61], [5, 8])],
        CreateHistory(2, 3),
        [
            .. CreateHistory(3, 2),
            new("in the response", [8, 7, 61, 62, 9], [5, 61, 62, 8, 4]),
            new("in both", [8, 7, 6, 61], [62, 4, 1]),
            new("at the start", [61, 62, 5], [4, 1]),
        ],
    ];

    public static AdapterBank TaskAdapter(LoraConfig kind) =>
        TinyModels.Adapters(
            TinyTraining.Config,
            1,
            kind with
            {
                Rank = 2,
                Alpha = 0.2,
                TargetModules = ["all-linear"],
                Dropout = 0,
            }
        );

    /// <summary>One for each user.</summary>
    public static AdapterBank CreateAdapters(double dropout)
    {
        List<AdapterBank> single =
        [
            .. Kinds.Select(
                (kind, seed) => AdapterBank.Create(TinyTraining.Config, kind with { Dropout = dropout }, [seed])
            ),
        ];
        try
        {
            return AdapterBank.Stack(single);
        }
        finally
        {
            single.ForEach(bank => bank.Dispose());
        }
    }

    /// <summary>Without a cache rows are computed whole.</summary>
    public static TrainingContext CreateContext(
        CausalLm model,
        TrainingOptions options,
        PrefixCache? prompts,
        ICheckpointStore? store = null,
        Action<StepMetrics>? metrics = null
    ) =>
        new()
        {
            Model = model,
            Options = options,
            Prompts = prompts,
            SharesPrompts = prompts is not null,
            Checkpoints = store,
            Metrics = metrics,
        };

    public static UserTrainingSet<TExample>[] CreateSets<TExample>(IReadOnlyList<TExample>[] examples) =>
        [.. Names.Zip(examples, (name, own) => new UserTrainingSet<TExample>(name, own) { Development = [own[0]] })];

    public static float[][] TrainSft(
        CausalLm model,
        AdapterBank task,
        TrainingOptions options,
        PrefixCache? prompts,
        ICheckpointStore? store = null,
        Action<StepMetrics>? metrics = null,
        CancellationToken cancellation = default
    )
    {
        using var adapters = CreateAdapters(0.1);
        var context = CreateContext(model, options, prompts, store, metrics);
        SftTrainer.Train(context, adapters, CreateSets(Histories), task, cancellation: cancellation);
        return [.. Names.Select((_, user) => TinyTraining.Values(adapters, user))];
    }

    public static float[][] TrainDpo(
        CausalLm model,
        AdapterBank task,
        DpoReference reference,
        PrefixCache? prompts,
        List<double>? figures = null,
        ICheckpointStore? store = null,
        Action<StepMetrics>? metrics = null,
        CancellationToken cancellation = default
    )
    {
        using var adapters = CreateAdapters(0);
        var context = CreateContext(
            model,
            Options with
            {
                Epochs = 1,
            },
            prompts,
            store,
            row =>
            {
                figures?.AddRange(
                    from figure in row.Figures
                    where figure.Key.StartsWith("logps", StringComparison.Ordinal) || figure.Key is "loss"
                    orderby figure.Key
                    select figure.Value
                );
                metrics?.Invoke(row);
            }
        );
        DpoTrainer.Train(
            context,
            adapters,
            CreateSets<PreferenceExample>([.. Histories.Select(CreatePairs)]),
            new() { Reference = reference },
            task,
            cancellation: cancellation
        );
        return [.. Names.Select((_, user) => TinyTraining.Values(adapters, user))];
    }

    /// <summary>What comes before the tokens in a prompt, and never its last token.</summary>
    public static int[] TakePrefix(IReadOnlyList<int> prompt)
    {
        var start = InvocationTokens.FindLast(prompt, Invocation);
        return [.. prompt.Take(Math.Min(start, prompt.Count - 1))];
    }

    static SupervisedExample[] CreateHistory(int seed, int count)
    {
        var random = new Random(seed);
        int[] Ids(int least, int most) =>
            [.. Enumerable.Range(0, random.Next(least, most)).Select(_ => random.Next(60))];
        return
        [
            .. Enumerable
                .Range(0, count)
                .Select(i => new SupervisedExample($"{i}", [.. Ids(4, 14), .. Invocation, 63], Ids(2, 6))),
        ];
    }

    static PreferenceExample[] CreatePairs(SupervisedExample[] history) =>
        [
            .. history.Select(
                (example, i) => new PreferenceExample(example.Id, example.Prompt, example.Response, [i, 2 * i, 7])
            ),
        ];
}
