using System.Diagnostics;
using CoPe.Adapters;
using CoPe.Benchmarks.Decode;
using CoPe.Modeling;
using CoPe.Training;
using static TorchSharp.torch;

namespace CoPe.Benchmarks;

/// <summary>
/// What a model of a known shape keeps resident while it plays expert, amateur, policy and reference, and how near the
/// estimates of <c>cope model info</c> come; each <c>name value</c>.
/// </summary>
sealed class MemoryFigures(string shape, int? layers)
{
    const int Steps = 24,
        Batch = 4,
        Prompt = 224,
        Answer = 32;

    /// <summary>All figures, as they come.</summary>
    public IEnumerable<(string Name, double Value)> All()
    {
        using (var started = zeros(1))
        {
            started.sum().Dispose(); // the native library's own memory is not the model's
        }

        using var folder = new RandomModel(RandomModel.CreateConfig(shape, layers));
        var (info, weights, before) = (folder.ReadInfo(), folder.Bytes / 1048576.0, Measurement.GetResidentMegabytes());
        yield return ("weights_mb", weights);
        yield return ("process_mb_before_loading", before);
        var watch = Stopwatch.StartNew();
        using var model = folder.Load();
        yield return ("load_ms", watch.Elapsed.TotalMilliseconds);
        watch.Restart();
        folder.Load().Dispose();
        yield return ("load_again_ms", watch.Elapsed.TotalMilliseconds);
        var lora = new LoraConfig { Dropout = 0 };
        foreach (var users in (int[])[1, 8])
        {
            var resident = Measurement.GetResidentMegabytes();
            var estimate =
                info.DecodingBytes(2 * users, DecodingUsers.Prompt + Steps, model.Dtype)
                + info.LayerBytes(2 * users * DecodingUsers.Prompt, model.Dtype);
            foreach (
                var figure in Compared(
                    $"predict_{2 * users}_rows",
                    estimate,
                    Measurement.MeasurePeakMegabytes(() => Decode(model, users)) + resident - before
                )
            )
            {
                yield return figure;
            }
        }
        yield return ("expert_amateur_resident_over_weights", (Measurement.GetResidentMegabytes() - before) / weights);
        using var adapters = AdapterBank.Create(model.Config, lora, [1]);
        foreach (var (name, rows, tokens, labels, train) in Trainings(model, adapters))
        {
            var resident = Measurement.GetResidentMegabytes();
            var estimate =
                info.TrainingBytes(rows, tokens, lora.CountParameters(model.Config), model.Dtype)
                + info.LogitsBytes(labels);
            foreach (
                var figure in Compared(name, estimate, Measurement.MeasurePeakMegabytes(train) + resident - before)
            )
            {
                yield return figure;
            }
        }
        yield return ("all_four_resident_over_weights", (Measurement.GetResidentMegabytes() - before) / weights);
    }

    static IEnumerable<(string, double)> Compared(string stage, long estimate, double measured) =>
        [($"{stage}_peak_mb", measured), ($"{stage}_estimate_over_peak", estimate / 1048576.0 / measured)];

    static void Decode(CausalLm model, int users)
    {
        using var task = RandomAdapters.CreateTask(model);
        using var user = AdapterBank.Create(
            model.Config,
            new LoraConfig(),
            [.. Enumerable.Range(1, users).Select(seed => (long)seed)]
        );
        using var one = new DecodingUsers(model, task, user, users, contrasts: true, Steps).Join();
        for (var i = 1; i < Steps; i++)
        {
            one.Step();
        }
    }

    static IEnumerable<(string Name, int Rows, int Tokens, int Labels, Action Train)> Trainings(
        CausalLm model,
        AdapterBank adapters
    )
    {
        var random = new Random(1);
        int[] Ids(int count) => [.. Enumerable.Range(0, count).Select(_ => random.Next(model.Config.VocabSize))];
        SupervisedExample[] examples =
        [
            .. Enumerable.Range(0, Batch).Select(i => new SupervisedExample($"{i}", Ids(Prompt), Ids(Answer))),
        ];
        PreferenceExample[] pairs =
        [
            .. examples
                .Take(Batch / 2)
                .Select(example => new PreferenceExample(example.Id, example.Prompt, example.Response, Ids(Answer))),
        ];
        yield return (
            "train_sft",
            Batch,
            Prompt + Answer,
            Batch * Answer,
            () =>
                SftTrainer.Train(
                    new TrainingContext
                    {
                        Model = model,
                        Options = TrainingOptions.UserAdapter with { BatchSize = Batch, MaxSteps = 2 },
                    },
                    adapters,
                    [new("user", examples)]
                )
        );
        yield return (
            "train_dpo",
            Batch / 2,
            Prompt + 2 * Answer,
            Batch * Answer,
            () =>
                DpoTrainer.Train(
                    new TrainingContext
                    {
                        Model = model,
                        Options = TrainingOptions.Dpo with { BatchSize = Batch / 2, MaxSteps = 2 },
                    },
                    adapters,
                    [new("user", pairs)],
                    new()
                )
        );
    }
}
