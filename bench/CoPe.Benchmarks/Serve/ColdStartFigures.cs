using System.Diagnostics;
using CoPe.Adapters;
using CoPe.Serving;
using static TorchSharp.torch;

namespace CoPe.Benchmarks.Serve;

/// <summary>
/// How long a request waits for an adapter that is on disk: adapters of the paper's shape for a model of 7B, more of
/// them than memory is given to, asked for in random order. The system may hold their files in its own memory.
/// </summary>
static class ColdStartFigures
{
    const int Users = 64;
    const int Resident = 8;
    const int Requests = 200;

    /// <summary>The figures.</summary>
    public static async Task<IReadOnlyList<(string Name, double Value)>> MeasureAsync()
    {
        var model = RandomModel.CreateConfig("mistral-7b");
        var lora = new LoraConfig
        {
            Rank = 8,
            Alpha = 8,
            TargetModules = ["q_proj", "v_proj"],
        };
        var folder = Directory.CreateTempSubdirectory("cope-bench").FullName;
        try
        {
            for (var user = 0; user < Users; user++)
            {
                using var bank = AdapterBank.Create(model, lora, [user]);
                AdapterFile.Write(Path.Combine(folder, $"{user}"), bank, 0, "bench");
            }

            var bytes = sizeof(float) * lora.CountParameters(model);
            using var residency = new AdapterResidency(model, CPU, Resident * bytes, parallelReads: 2);
            var times = await AskAsync(residency, new AdapterFolders(folder)).ConfigureAwait(false);
            return
            [
                ("adapter_mb", bytes / 1e6),
                ("cold_start_p50_ms", 1000 * times[times.Length / 2]),
                ("cold_start_p95_ms", 1000 * times[(int)(.95 * times.Length)]),
            ];
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Seconds of each request whose adapter was not in memory, in order.</summary>
    static async Task<double[]> AskAsync(AdapterResidency residency, AdapterFolders catalog)
    {
        var random = new Random(1);
        var times = new List<double>();
        while (times.Count < Requests)
        {
            var user = catalog.Find($"{random.Next(Users)}")!;
            if (residency.Holds(user.UserAdapter!))
            {
                continue;
            }

            var began = Stopwatch.GetTimestamp();
            using var lease = await residency.AcquireAsync(user, CancellationToken.None).ConfigureAwait(false);
            times.Add(Stopwatch.GetElapsedTime(began).TotalSeconds);
        }

        return [.. times.Order()];
    }
}
