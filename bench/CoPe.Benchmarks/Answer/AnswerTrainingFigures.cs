using CoPe.Adapters;
using CoPe.Benchmarks.Train;
using CoPe.Training;

namespace CoPe.Benchmarks.Answer;

/// <summary>
/// Steps over 4 x (224 + 32) tokens of adapters that act on the answer alone, in the first epoch, which computes the
/// prompts, and in later ones, against steps of adapters that act everywhere and against DPO over separate rows.
/// </summary>
sealed class AnswerTrainingFigures(AnswerModel model, int rounds)
{
    const int Prompt = 224;
    const int Answer = 32;

    /// <summary>Examples of an epoch of two steps.</summary>
    readonly SupervisedExample[] _examples =
    [
        .. model
            .CreatePrompts(8, Prompt)
            .Select((prompt, i) => new SupervisedExample($"{i}", prompt, model.CreateText(Answer))),
    ];

    /// <summary>All figures.</summary>
    public IEnumerable<(string Name, double Value)> All() => Supervised().Concat(Preferences()).Concat(Peaks());

    IEnumerable<(string, double)> Supervised()
    {
        var (everywhere, answer) = (new List<double[]>(), new List<double[]>());
        for (var round = 0; round <= rounds; round++)
        {
            everywhere.Add(TimeSteps(metrics => TrainSft(ActivePositions.Everywhere, 4, metrics)));
            answer.Add(TimeSteps(metrics => TrainSft(ActivePositions.Answer, 4, metrics)));
        }

        var whole = Measurement.Median(everywhere.Skip(1).SelectMany(steps => steps));
        yield return ("sft_everywhere_step_s", whole);
        yield return ("sft_answer_over_everywhere_first_epoch", MedianFirst(answer) / whole);
        yield return ("sft_answer_over_everywhere_cached", MedianLater(answer) / whole);
    }

    IEnumerable<(string, double)> Preferences()
    {
        PlannedRow[] separate =
        [
            .. _examples
                .Take(4)
                .Select((example, i) => new PlannedRow(0, i, TrainingRow.FromExample(example, 2048)!, 1, 1)),
        ];
        using var adapters = model.CreateUsers(ActivePositions.Everywhere, 1);
        using var bare = new MinimalTraining(model.Model, adapters);
        List<double> policyOnly = [];
        var (answer, everywhere) = (new List<double[]>(), new List<double[]>());
        for (var round = 0; round <= rounds; round++)
        {
            policyOnly.AddRange(
                Measurement.TimeRounds(
                    1,
                    () => bare.Step(separate, (batch, rows) => bare.ComputeSeparateDpoLoss(batch, rows, false))
                )
            );
            answer.Add(TimeSteps(metrics => TrainDpo(ActivePositions.Answer, 4, metrics)));
            everywhere.Add(TimeSteps(metrics => TrainDpo(ActivePositions.Everywhere, 4, metrics)));
        }

        var whole = Measurement.Median(policyOnly.Skip(1));
        yield return ("dpo_separate_step_s", whole);
        yield return ("dpo_answer_over_separate_first_epoch", MedianFirst(answer) / whole);
        yield return ("dpo_answer_over_separate_cached", MedianLater(answer) / whole);
        yield return (
            "dpo_everywhere_over_separate",
            Measurement.Median(everywhere.Skip(1).SelectMany(steps => steps)) / whole
        );
    }

    /// <summary>What a training takes beyond what is resident: a step of each kind, prompts included.</summary>
    IEnumerable<(string, double)> Peaks()
    {
        foreach (var active in (ActivePositions[])[ActivePositions.Answer, ActivePositions.Everywhere])
        {
            var name = active == ActivePositions.Answer ? "answer" : "everywhere";
            yield return (
                $"sft_{name}_peak_mb",
                Measurement.MeasurePeakMegabytes(() => TrainSft(active, 2, metrics: null))
            );
            yield return (
                $"dpo_{name}_peak_mb",
                Measurement.MeasurePeakMegabytes(() => TrainDpo(active, 2, metrics: null))
            );
        }
    }

    void TrainSft(ActivePositions active, int steps, Action<StepMetrics>? metrics)
    {
        using var adapters = model.CreateUsers(active, 1);
        SftTrainer.Train(CreateContext(steps, 4, metrics), adapters, [new("user", _examples)], model.Task);
    }

    /// <summary>Pairs whose reference is known, as the selection of answers leaves it.</summary>
    void TrainDpo(ActivePositions active, int steps, Action<StepMetrics>? metrics)
    {
        using var adapters = model.CreateUsers(active, 1);
        PreferenceExample[] pairs =
        [
            .. _examples
                .Take(4)
                .Select(
                    (example, i) =>
                        new PreferenceExample(
                            example.Id,
                            example.Prompt,
                            example.Response,
                            [.. _examples[4 + i].Response]
                        )
                        {
                            Reference = new(-400, -400),
                        }
                ),
        ];
        DpoTrainer.Train(CreateContext(steps, 2, metrics), adapters, [new("user", pairs)], new(), model.Task);
    }

    TrainingContext CreateContext(int steps, int batchSize, Action<StepMetrics>? metrics) =>
        new()
        {
            Model = model.Model,
            Options = TrainingOptions.UserAdapter with { BatchSize = batchSize, MaxSteps = steps, Shuffle = false },
            Metrics = metrics,
        };

    static double[] TimeSteps(Action<Action<StepMetrics>> train) => Measurement.TimeSteps("user", train);

    /// <summary>Of the second step, which still is of the first epoch; the first compiles.</summary>
    static double MedianFirst(List<double[]> trainings) =>
        Measurement.Median(trainings.Skip(1).Select(steps => steps[0]));

    static double MedianLater(List<double[]> trainings) =>
        Measurement.Median(trainings.Skip(1).SelectMany(steps => steps.Skip(1)));
}
