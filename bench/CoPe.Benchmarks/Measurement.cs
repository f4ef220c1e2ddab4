using System.Diagnostics;
using System.Globalization;
using CoPe.Training;

namespace CoPe.Benchmarks;

/// <summary>Times steps and finds the memory they take.</summary>
static class Measurement
{
    /// <summary>Median of seconds.</summary>
    public static double Median(IEnumerable<double> seconds)
    {
        var ordered = seconds.Order().ToArray();
        return ordered.Length % 2 == 1
            ? ordered[ordered.Length / 2]
            : (ordered[ordered.Length / 2 - 1] + ordered[ordered.Length / 2]) / 2;
    }

    /// <summary>
    /// Seconds of the processor that an action takes, all threads together; other work beside lengthens them little.
    /// </summary>
    public static double TimeProcessor(Action action)
    {
        var before = Environment.CpuUsage.TotalTime;
        action();
        return (Environment.CpuUsage.TotalTime - before).TotalSeconds;
    }

    /// <summary>Seconds of each of some rounds of an action, after one to warm up.</summary>
    public static double[] TimeRounds(int rounds, Action action)
    {
        action();
        return
        [
            .. Enumerable
                .Range(0, rounds)
                .Select(_ =>
                {
                    var watch = Stopwatch.StartNew();
                    action();
                    return watch.Elapsed.TotalSeconds;
                }),
        ];
    }

    /// <summary>Seconds between the reports of one user's steps, without the first.</summary>
    public static double[] TimeSteps(string user, Action<Action<StepMetrics>> train)
    {
        var stamps = new List<long>();
        train(row =>
        {
            if (row.User == user)
            {
                stamps.Add(Stopwatch.GetTimestamp());
            }
        });
        return [.. stamps.Zip(stamps.Skip(1), (from, to) => Stopwatch.GetElapsedTime(from, to).TotalSeconds)];
    }

    /// <summary>
    /// Milliseconds of each of several actions, taken in turn for some rounds after one to warm up, so that what else
    /// the machine does falls on all alike; the medians.
    /// </summary>
    public static double[] TimeInterleaved(int rounds, params Action[] actions)
    {
        var times = actions.Select(_ => new List<double>()).ToArray();
        for (var round = 0; round <= rounds; round++)
        {
            for (var i = 0; i < actions.Length; i++)
            {
                var watch = Stopwatch.StartNew();
                actions[i]();
                if (round > 0)
                {
                    times[i].Add(watch.Elapsed.TotalMilliseconds);
                }
            }
        }
        return [.. times.Select(Median)];
    }

    /// <summary>MB resident now, mapped files included; NaN where the system does not say.</summary>
    public static double GetResidentMegabytes() =>
        OperatingSystem.IsLinux() ? ReadProcessStatus("VmRSS:") / 1024 : double.NaN;

    /// <summary>
    /// MB by which the peak of resident memory exceeds what is resident now; NaN where the system does not say.
    /// </summary>
    public static double MeasurePeakMegabytes(Action action)
    {
        if (!OperatingSystem.IsLinux())
        {
            return double.NaN;
        }

        File.WriteAllText("/proc/self/clear_refs", "5"); // the peak starts over
        var before = ReadProcessStatus("VmRSS:");
        action();
        return (ReadProcessStatus("VmHWM:") - before) / 1024;
    }

    /// <summary>kB that the system states under a name; Linux only.</summary>
    public static double ReadProcessStatus(string name) =>
        double.Parse(
            File.ReadLines("/proc/self/status")
                .First(line => line.StartsWith(name, StringComparison.Ordinal))
                .Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1],
            CultureInfo.InvariantCulture
        );
}

/// <summary>
/// Looks at the process's resident memory a hundred times a second and remembers the most, from mapped files and of its
/// own. Linux only.
/// </summary>
sealed class ResidentMemoryMonitor : IDisposable
{
    readonly CancellationTokenSource _stop = new();
    readonly Thread _thread;
    double _total,
        _mapped,
        _anonymous;

    public ResidentMemoryMonitor()
    {
        _thread = new Thread(() =>
        {
            do
            {
                Sample();
            } while (!_stop.Token.WaitHandle.WaitOne(10));
        })
        {
            IsBackground = true,
            Name = "resident memory",
        };
        _thread.Start();
    }

    /// <summary>
    /// MB at most: altogether, of mapped files (which the system may take back at any time), and anonymous.
    /// </summary>
    public (double Total, double Mapped, double Anonymous) Stop()
    {
        _stop.Cancel();
        _thread.Join();
        return (_total, _mapped, _anonymous);
    }

    void Sample()
    {
        var (file, own) = (Measurement.ReadProcessStatus("RssFile:"), Measurement.ReadProcessStatus("RssAnon:"));
        (_total, _mapped, _anonymous) = (
            Math.Max(_total, (file + own) / 1024),
            Math.Max(_mapped, file / 1024),
            Math.Max(_anonymous, own / 1024)
        );
    }

    public void Dispose()
    {
        _stop.Cancel();
        _thread.Join();
        _stop.Dispose();
    }
}
