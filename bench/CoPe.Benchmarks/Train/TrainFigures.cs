using CoPe.Adapters;
using CoPe.Modeling;
using CoPe.Training;

namespace CoPe.Benchmarks.Train;

/// <summary>
/// Ratios of a training step to the plain way of taking it, and the memory it needs; each <c>name value</c>.
/// </summary>
sealed class TrainFigures : IDisposable
{
    readonly RandomModel _folder;
    readonly CausalLm _model;
    readonly int _rounds;
    readonly Random _random = new(1);

    public TrainFigures(int layers, int rounds)
    {
        _folder = new RandomModel(RandomModel.CreateConfig("qwen2.5-0.5b", layers));
        _model = _folder.Load();
        _rounds = rounds;
    }

    /// <summary>All figures, as they come.</summary>
    public IEnumerable<(string Name, double Value)> All()
    {
        foreach (var figure in Supervised())
        {
            yield return figure;
        }

        foreach (var figure in new DpoFigures(_model, _rounds).Ratios())
        {
            yield return figure;
        }

        yield return ("eight_users_over_sequential", EightUsers(_model));
        using var embeddedFolder = new RandomModel(RandomModel.CreateConfig("embedded"));
        using var embedded = embeddedFolder.Load();
        yield return ("eight_users_over_sequential_embedded", EightUsers(embedded));
    }

    IEnumerable<(string, double)> Supervised()
    {
        var examples = Examples(_model, 4, prompt: 225, answer: 32);
        PlannedRow[] rows =
        [
            .. examples.Select((example, i) => new PlannedRow(0, i, TrainingRow.FromExample(example, 2048)!, 1, 1)),
        ];
        using var adapters = Adapters(_model, 1);
        double[] full,
            labels;
        double fullPeak,
            ourPeak,
            recomputedPeak = 0;
        using (var bare = new MinimalTraining(_model, adapters))
        {
            ourPeak = Measurement.MeasurePeakMegabytes(() => bare.Step(rows, bare.ComputeLabelLoss));
            labels = Measurement.TimeRounds(_rounds, () => bare.Step(rows, bare.ComputeLabelLoss));
            fullPeak = Measurement.MeasurePeakMegabytes(() => bare.Step(rows, bare.ComputeFullLoss));
            full = Measurement.TimeRounds(_rounds, () => bare.Step(rows, bare.ComputeFullLoss));
        }
        var loop = Measurement.TimeSteps(
            "user 0",
            metrics => TrainSft(_model, adapters, [examples], _rounds + 1, metrics)
        );
        var recomputed = Measurement.TimeSteps(
            "user 0",
            metrics =>
                recomputedPeak = Measurement.MeasurePeakMegabytes(() =>
                    TrainSft(_model, adapters, [examples], _rounds + 1, metrics, recompute: true)
                )
        );
        yield return ("sft_step_s", Measurement.Median(loop));
        yield return ("sft_over_full_logits", Measurement.Median(loop) / Measurement.Median(full));
        yield return ("sft_peak_mb", ourPeak);
        yield return ("sft_full_logits_peak_mb", fullPeak);
        yield return ("sft_recomputed_over_kept", Measurement.Median(recomputed) / Measurement.Median(loop));
        yield return ("sft_recomputed_peak_mb", recomputedPeak);
        yield return ("loop_over_bare", Measurement.Median(loop) / Measurement.Median(labels));
    }

    /// <summary>Eight users with one example of 64 tokens each: one step of all over eight steps of one.</summary>
    double EightUsers(CausalLm of)
    {
        SupervisedExample[][] examples =
        [
            .. Enumerable.Range(0, 8).Select(_ => Examples(of, 1, prompt: 49, answer: 16)),
        ];
        using var together = Adapters(of, 8);
        using var alone = Adapters(of, 1);
        var steps = of.Config.HiddenSize < 512 ? 10 * _rounds : _rounds;
        var all = Measurement.Median(
            Measurement.TimeSteps("user 0", metrics => TrainSft(of, together, examples, steps + 1, metrics))
        );
        var one = Measurement.Median(
            Measurement.TimeSteps("user 0", metrics => TrainSft(of, alone, [examples[0]], steps + 1, metrics))
        );
        return all / (8 * one);
    }

    static IReadOnlyList<TrainingOutcome> TrainSft(
        CausalLm model,
        AdapterBank adapters,
        SupervisedExample[][] examples,
        int steps,
        Action<StepMetrics> metrics,
        bool recompute = false
    ) =>
        SftTrainer.Train(
            new TrainingContext
            {
                Model = model,
                Options = TrainingOptions.UserAdapter with { MaxSteps = steps, RecomputeLayers = recompute },
                Metrics = metrics,
            },
            adapters,
            [.. examples.Select((some, user) => new UserTrainingSet<SupervisedExample>($"user {user}", some))]
        );

    static AdapterBank Adapters(CausalLm model, int users) =>
        AdapterBank.Create(
            model.Config,
            new LoraConfig { Dropout = 0 },
            [.. Enumerable.Range(0, users).Select(user => (long)user)]
        );

    SupervisedExample[] Examples(CausalLm of, int count, int prompt, int answer) =>
        [.. Enumerable.Range(0, count).Select(i => new SupervisedExample($"{i}", Ids(of, prompt), Ids(of, answer)))];

    int[] Ids(CausalLm of, int count) => [.. Enumerable.Range(0, count).Select(_ => _random.Next(of.Config.VocabSize))];

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }
}
