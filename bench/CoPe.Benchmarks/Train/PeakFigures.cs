using System.Diagnostics;
using CoPe.Adapters;
using CoPe.Modeling;
using CoPe.Training;

namespace CoPe.Benchmarks.Train;

/// <summary>
/// Whether a shape can be trained on a machine: memory and time of one SFT step and of one DPO step with recomputed
/// layers, in MB as the system counts them.
/// </summary>
sealed class PeakFigures : IDisposable
{
    const int Prompt = 192,
        Answer = 32;

    readonly RandomModel _folder;
    readonly CausalLm _model;
    readonly Random _random = new(1);

    /// <summary>Writes the model into the folder for temporary files, which must have room for it.</summary>
    public PeakFigures(string shape, int? layers)
    {
        var config = RandomModel.CreateConfig(shape, layers);
        RequireRoom(config);
        _folder = new RandomModel(config);
        _model = _folder.Load();
    }

    /// <summary>All figures, as they come.</summary>
    public IEnumerable<(string Name, double Value)> All()
    {
        yield return ("weights_mb", _folder.Bytes / (1024.0 * 1024));
        yield return ("tokens_per_row", Prompt + Answer);
        var options = TrainingOptions.UserAdapter with { BatchSize = 1, MaxSteps = 1, RecomputeLayers = true };
        using var adapters = AdapterBank.Create(_model.Config, new LoraConfig(), [1]);
        foreach (
            var figure in Step(
                "sft",
                () =>
                    SftTrainer.Train(
                        new() { Model = _model, Options = options },
                        adapters,
                        [new("user", [new("x", Ids(Prompt), Ids(Answer))])]
                    )
            )
        )
        {
            yield return figure;
        }

        foreach (
            var figure in Step(
                "dpo",
                () =>
                    DpoTrainer.Train(
                        new() { Model = _model, Options = options },
                        adapters,
                        [new("user", [new("x", Ids(Prompt), Ids(Answer), Ids(Answer))])],
                        new()
                    )
            )
        )
        {
            yield return figure;
        }
    }

    static IEnumerable<(string, double)> Step(string name, Action step)
    {
        using var watch = new ResidentMemoryMonitor();
        var time = Stopwatch.StartNew();
        step();
        yield return ($"{name}_step_s", time.Elapsed.TotalSeconds);
        var (total, mapped, anonymous) = watch.Stop();
        yield return ($"{name}_peak_mb", total);
        yield return ($"{name}_peak_mapped_mb", mapped);
        yield return ($"{name}_peak_anonymous_mb", anonymous);
    }

    static void RequireRoom(DecoderConfig config)
    {
        var needed = WeightLayout
            .ListWeights(config)
            .Sum(weight => 2 * weight.Shape.Aggregate(1L, (product, size) => product * size));
        var drive = new DriveInfo(Path.GetTempPath());
        Console.Error.WriteLine(
            $"{needed / 1e9:F1} GB of weights go to {Path.GetTempPath()}, "
                + $"which has {drive.AvailableFreeSpace / 1e9:F1} GB free"
        );
        if (drive.AvailableFreeSpace < needed + (1L << 30))
        {
            throw new IOException(
                $"{Path.GetTempPath()} has no room for {needed / 1e9:F1} GB; set TMPDIR to a folder that has."
            );
        }
    }

    int[] Ids(int count) => [.. Enumerable.Range(0, count).Select(_ => _random.Next(_model.Config.VocabSize))];

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }
}
