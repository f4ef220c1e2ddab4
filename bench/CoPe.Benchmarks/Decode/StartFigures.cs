using System.Diagnostics;
using CoPe.Modeling;

namespace CoPe.Benchmarks.Decode;

/// <summary>
/// Seconds to open a model of a shape with rounded weights: the first time, when they are rounded and kept, and the
/// second, when they are mapped.
/// </summary>
static class StartFigures
{
    /// <summary>The figures.</summary>
    public static IEnumerable<(string Name, double Value)> Measure(string shape, int? layers)
    {
        using var model = new RandomModel(RandomModel.CreateConfig(shape, layers));
        var folder = Directory.CreateTempSubdirectory("cope-bench").FullName;
        try
        {
            foreach (var dtype in Enum.GetValues<QuantizedDtype>())
            {
                var name = dtype == QuantizedDtype.Q4 ? "q4" : "int8";
                yield return ($"{name}_first_start_s", Open(dtype));
                yield return ($"{name}_second_start_s", Open(dtype));
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        double Open(QuantizedDtype dtype)
        {
            var began = Stopwatch.GetTimestamp();
            using var opened = model.Load(dtype, new RoundedWeightsCache(folder));
            return Stopwatch.GetElapsedTime(began).TotalSeconds;
        }
    }
}
