using CoPe.Adapters;
using CoPe.Modeling;
using CoPe.Tokens;
using CoPe.Training;

namespace CoPe.Benchmarks.Train;

/// <summary>Ratios of a training step to the plain way of taking it, and the memory it needs; each <c>name value</c>.</summary>
sealed class TrainFigures : IDisposable
{
    readonly RandomModel folder;
    readonly CausalLm model;
    readonly int rounds;
    readonly Random random = new(1);

    public TrainFigures(int layers, int rounds)
    {
        folder = new RandomModel(RandomModel.Shape("qwen2.5-0.5b", layers));
        model = folder.Load();
        this.rounds = rounds;
    }

    /// <summary>All figures, as they come.</summary>
    public IEnumerable<(string Name, double Value)> All()
    {
        foreach (var figure in Supervised()) yield return figure;
        foreach (var figure in Preferences()) yield return figure;
        yield return ("eight_users_over_sequential", EightUsers(model));
        using var embeddedFolder = new RandomModel(RandomModel.Shape("embedded"));
        using var embedded = embeddedFolder.Load();
        yield return ("eight_users_over_sequential_embedded", EightUsers(embedded));
    }

    IEnumerable<(string, double)> Supervised()
    {
        var examples = Examples(model, 4, prompt: 225, answer: 32);
        PlannedRow[] rows = [.. examples.Select((example, i) => new PlannedRow(0, i, TrainingRow.Of(example, 2048)!, 1, 1))];
        using var adapters = Adapters(model, 1);
        double[] full, labels;
        double fullPeak, ourPeak, recomputedPeak = 0;
        using (var bare = new BareTraining(model, adapters))
        {
            ourPeak = Clock.PeakMegabytes(() => bare.Step(rows, bare.LabelLoss));
            labels = Clock.Rounds(rounds, () => bare.Step(rows, bare.LabelLoss));
            fullPeak = Clock.PeakMegabytes(() => bare.Step(rows, bare.FullLoss));
            full = Clock.Rounds(rounds, () => bare.Step(rows, bare.FullLoss));
        }
        var loop = Clock.Steps("user 0", metrics => SftTrainer.Train(Run(model, adapters, [examples], rounds + 1, metrics)));
        var recomputed = Clock.Steps("user 0", metrics => recomputedPeak = Clock.PeakMegabytes(() => SftTrainer.Train(Run(model, adapters, [examples], rounds + 1, metrics, recompute: true))));
        yield return ("sft_step_s", Clock.Median(loop));
        yield return ("sft_over_full_logits", Clock.Median(loop) / Clock.Median(full));
        yield return ("sft_peak_mb", ourPeak);
        yield return ("sft_full_logits_peak_mb", fullPeak);
        yield return ("sft_recomputed_over_kept", Clock.Median(recomputed) / Clock.Median(loop));
        yield return ("sft_recomputed_peak_mb", recomputedPeak);
        yield return ("loop_over_bare", Clock.Median(loop) / Clock.Median(labels));
    }

    IEnumerable<(string, double)> Preferences()
    {
        var supervised = Examples(model, 2, prompt: 224, answer: 32);
        PreferenceExample[] pairs = [.. supervised.Select(example => new PreferenceExample(example.Id, example.Prompt, example.Response, Ids(model, 32)))];
        IEnumerable<SupervisedExample> separate = [.. supervised, .. pairs.Select(pair => new SupervisedExample(pair.Id, pair.Prompt, pair.Rejected))];
        PlannedRow[] rows = [.. separate.Select((example, i) => new PlannedRow(0, i, TrainingRow.Of(example, 2048)!, 1, 1))];
        using var adapters = Adapters(model, 1);
        double[] policyOnly, withReference;
        using (var bare = new BareTraining(model, adapters))
        {
            policyOnly = Clock.Rounds(rounds, () => bare.Step(rows, (batch, worn) => bare.SeparateDpoLoss(batch, worn, false)));
            withReference = Clock.Rounds(rounds, () => bare.Step(rows, (batch, worn) => bare.SeparateDpoLoss(batch, worn, true)));
        }
        var loop = Clock.Steps("user 0", metrics => DpoTrainer.Train(new AdapterTrainingRun<PreferenceExample>
        {
            Model = model, Adapters = adapters, UserNames = ["user 0"], ExamplesPerUser = [pairs], Options = TrainingOptions.Dpo with { BatchSize = 2, MaxSteps = rounds + 1 }, Metrics = metrics,
        }, new()));
        yield return ("dpo_over_separate", Clock.Median(loop) / Clock.Median(policyOnly));
        yield return ("dpo_over_separate_with_reference", Clock.Median(loop) / Clock.Median(withReference));
    }

    /// <summary>Eight users with one example of 64 tokens each: one step of all over eight steps of one.</summary>
    double EightUsers(CausalLm of)
    {
        SupervisedExample[][] examples = [.. Enumerable.Range(0, 8).Select(_ => Examples(of, 1, prompt: 49, answer: 16))];
        using var together = Adapters(of, 8);
        using var alone = Adapters(of, 1);
        var steps = of.Config.HiddenSize < 512 ? 10 * rounds : rounds;
        var all = Clock.Median(Clock.Steps("user 0", metrics => SftTrainer.Train(Run(of, together, examples, steps + 1, metrics))));
        var one = Clock.Median(Clock.Steps("user 0", metrics => SftTrainer.Train(Run(of, alone, [examples[0]], steps + 1, metrics))));
        return all / (8 * one);
    }

    static AdapterTrainingRun<SupervisedExample> Run(CausalLm model, AdapterBank adapters, SupervisedExample[][] examples, int steps, Action<MetricRow> metrics, bool recompute = false) => new()
    {
        Model = model, Adapters = adapters, UserNames = [.. examples.Select((_, user) => $"user {user}")], ExamplesPerUser = examples,
        Options = TrainingOptions.UserAdapter with { MaxSteps = steps, RecomputeLayers = recompute }, Metrics = metrics,
    };

    static AdapterBank Adapters(CausalLm model, int users) => AdapterBank.Create(model.Config, new LoraConfig { Dropout = 0 }, [.. Enumerable.Range(0, users).Select(user => (long)user)]);

    SupervisedExample[] Examples(CausalLm of, int count, int prompt, int answer) =>
        [.. Enumerable.Range(0, count).Select(i => new SupervisedExample($"{i}", Ids(of, prompt), Ids(of, answer)))];

    int[] Ids(CausalLm of, int count) => [.. Enumerable.Range(0, count).Select(_ => random.Next(of.Config.VocabSize))];

    public void Dispose()
    {
        model.Dispose();
        folder.Dispose();
    }
}
