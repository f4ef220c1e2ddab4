using System.Diagnostics;
using CoPe.Adapters;
using CoPe.Modeling;
using CoPe.Training;
using static TorchSharp.torch;

namespace CoPe.Benchmarks.Train;

/// <summary>
/// A DPO step over two pairs that share their prompts, against answers as rows of their own; each <c>name value</c>.
/// Steps are taken in turn, so that what else the machine does falls on all alike.
/// </summary>
/// <param name="model">The model; still the caller's.</param>
/// <param name="rounds">Steps of each kind, after one to warm up.</param>
sealed class DpoFigures(CausalLm model, int rounds)
{
    const int Prompt = 224;
    const int Answer = 32;

    static readonly string[] Parts = ["forward", "head", "head_backward", "backward", "gradients"];

    readonly Random _random = new(1);

    /// <summary>A step of the trainer over one of separate rows, without and with its reference's pass.</summary>
    public IEnumerable<(string Name, double Value)> Ratios()
    {
        PreferenceExample[] pairs = [CreatePair(), CreatePair()];
        PlannedRow[] separate =
        [
            .. CreateRows(pairs.Select(pair => Single(pair.Prompt, pair.Chosen))),
            .. CreateRows(pairs.Select(pair => Single(pair.Prompt, pair.Rejected))),
        ];
        using var adapters = CreateAdapter();
        using var ofSeparate = CreateAdapter();
        using var bare = new MinimalTraining(model, ofSeparate);
        var (loop, policyOnly, withReference) = (new List<Duration>(), new List<Duration>(), new List<Duration>());
        var started = Duration.SinceStart();

        void TakeSeparateSteps(StepMetrics metrics)
        {
            loop.Add(Duration.SinceStart() - started);
            policyOnly.Add(TimeSeparate(includesReference: false));
            withReference.Add(TimeSeparate(includesReference: true));
            started = Duration.SinceStart();
        }

        Duration TimeSeparate(bool includesReference)
        {
            var before = Duration.SinceStart();
            bare.Step(separate, (batch, rows) => bare.ComputeSeparateDpoLoss(batch, rows, includesReference));
            return Duration.SinceStart() - before;
        }

        var context = new TrainingContext
        {
            Model = model,
            Options = TrainingOptions.Dpo with { BatchSize = 2, MaxSteps = rounds + 1 },
            Metrics = TakeSeparateSteps,
        };
        DpoTrainer.Train(context, adapters, [new("user 0", pairs)], new());
        double Ratio(List<Duration> separateSteps, Func<Duration, double> select) =>
            MedianAfterFirst(loop.Select(select)) / MedianAfterFirst(separateSteps.Select(select));

        yield return ("dpo_over_separate", Ratio(policyOnly, step => step.Wall));
        yield return ("dpo_over_separate_processor", Ratio(policyOnly, step => step.Processor));
        yield return ("dpo_over_separate_with_reference", Ratio(withReference, step => step.Wall));
        yield return ("dpo_over_separate_with_reference_processor", Ratio(withReference, step => step.Processor));
    }

    /// <summary>
    /// Milliseconds of the processor of each part of a step: with shared prompts, with rows of their own, and of plain
    /// rows as long as the shared ones, which differ from them in the mask alone.
    /// </summary>
    public IEnumerable<(string Name, double Value)> PartsOfSteps()
    {
        (string Name, PlannedRow[] Rows)[] layouts =
        [
            ("shared", [.. CreateRows([Shared(CreatePair()), Shared(CreatePair())])]),
            ("separate", [.. CreateRows(Enumerable.Range(0, 4).Select(_ => Single(Ids(Prompt), Ids(Answer))))]),
            ("unmasked", [.. CreateRows(Enumerable.Range(0, 2).Select(_ => Single(Ids(Prompt - 1), Ids(2 * Answer))))]),
        ];
        using var adapters = CreateAdapter();
        using var replica = new AdapterTraining(new TrainingContext { Model = model }, adapters, null).CreateReplica();
        var times = layouts.ToDictionary(layout => layout.Name, _ => new List<double[]>());
        for (var round = 0; round <= rounds; round++)
        {
            foreach (var (name, rows) in layouts)
            {
                times[name].Add(Step(rows, replica));
            }
        }

        foreach (var (layout, steps) in times)
        {
            foreach (var (part, name) in Parts.Index())
            {
                yield return ($"{layout}_{name}_ms", 1000 * MedianAfterFirst(steps.Select(step => step[part])));
            }

            yield return ($"{layout}_ms", 1000 * MedianAfterFirst(steps.Select(step => step.Sum())));
        }
    }

    double[] Step(IReadOnlyList<PlannedRow> rows, TrainingReplica replica)
    {
        using var scope = NewDisposeScope();
        using var batch = new TrainingBatch(rows, model.Device);
        using var adapters = replica.Adapters!.SelectRows(rows);
        Tensor hidden = null!,
            loss = null!;
        var forward = Measurement.TimeProcessor(() => hidden = model.Forward(batch.Tokens.Tokens, adapters));
        using var leaf = hidden.detach();
        leaf.requires_grad = true;
        var head = Measurement.TimeProcessor(() =>
            loss = SftLoss.ComputePerToken(model.ComputeNarrowLogits(leaf), batch.Tokens.Labels).mean()
        );
        var headBackward = Measurement.TimeProcessor(() => loss.backward());
        var backward = Measurement.TimeProcessor(() => autograd.backward([hidden], [leaf.grad!]));
        var gradients = Measurement.TimeProcessor(() => replica.TakeGradients());
        return [forward, head, headBackward, backward, gradients];
    }

    static double MedianAfterFirst(IEnumerable<double> seconds) => Measurement.Median(seconds.Skip(1));

    static IEnumerable<PlannedRow> CreateRows(IEnumerable<TrainingRow> rows) =>
        rows.Select((row, i) => new PlannedRow(0, i, row, 1, 1));

    static TrainingRow Single(IReadOnlyList<int> prompt, IReadOnlyList<int> answer) =>
        TrainingRow.FromExample(new SupervisedExample("row", prompt, answer), 2048)!;

    static TrainingRow Shared(PreferenceExample pair) => TrainingRow.FromExample(pair, 2048)!;

    PreferenceExample CreatePair() => new("pair", Ids(Prompt), Ids(Answer), Ids(Answer));

    AdapterBank CreateAdapter() => AdapterBank.Create(model.Config, new LoraConfig { Dropout = 0 }, [1]);

    int[] Ids(int count) => [.. Enumerable.Range(0, count).Select(_ => _random.Next(model.Config.VocabSize))];

    /// <summary>
    /// Seconds on the clock and of the processor: the latter are hardly more where other work runs beside.
    /// </summary>
    readonly record struct Duration(double Wall, double Processor)
    {
        public static Duration SinceStart() =>
            new(Stopwatch.GetTimestamp() / (double)Stopwatch.Frequency, Environment.CpuUsage.TotalTime.TotalSeconds);

        public static Duration operator -(Duration end, Duration start) =>
            new(end.Wall - start.Wall, end.Processor - start.Processor);
    }
}
