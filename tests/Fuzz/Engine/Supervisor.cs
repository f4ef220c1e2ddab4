using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace CoPe.Fuzz.Engine;

/// <summary>
/// Runs workers until all inputs are read: one that dies or hangs is replaced by another, which goes on behind the
/// input that did it.
/// </summary>
/// <param name="plan">What is read.</param>
/// <param name="output">Where progress and findings are told.</param>
sealed class Supervisor(FuzzPlan plan, TextWriter output)
{
    const int MaxDeaths = 50;
    const long MaxHeapGrowth = 64 << 20;
    const long MaxResidentGrowth = 384 << 20;

    static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(250);
    static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(10);

    /// <summary>Longest time of the processor for one input.</summary>
    static readonly TimeSpan MaxProcessorTime = TimeSpan.FromSeconds(5);

    /// <summary>Longest time by the clock, for one that waits for something.</summary>
    static readonly TimeSpan MaxTime = TimeSpan.FromSeconds(60);

    readonly Stopwatch _time = Stopwatch.StartNew();
    readonly WorkerReport _total = new();
    WorkerReport _current = new();
    TimeSpan _lastProgress;

    /// <summary>Reads all inputs; returns what was found.</summary>
    public WorkerReport Run()
    {
        var slotFile = Path.Combine(Path.GetTempPath(), $"cope-fuzz-{Environment.ProcessId}.slot");
        using var slot = new InputSlot(slotFile);
        try
        {
            var next = 1L;
            for (var deaths = 0; next <= plan.Inputs && deaths < MaxDeaths; deaths++)
            {
                next = RunWorker(slot, slotFile, next) is { } end ? Bury(slot, end) : plan.Inputs + 1;
                Merge();
            }
        }
        finally
        {
            File.Delete(slotFile);
        }

        return _total;
    }

    /// <summary>Runs a worker to its end; returns how it died, null where it read all inputs.</summary>
    string? RunWorker(InputSlot slot, string slotFile, long first)
    {
        using var worker = StartWorker(slotFile, first);
        var reading = Task.Run(() => ReadReports(worker));
        var errors = worker.StandardError.ReadToEndAsync();
        string? hang = null;
        var (number, processorTime, since) = (slot.Number, TimeSpan.Zero, _time.Elapsed);
        while (!worker.WaitForExit(PollInterval))
        {
            if (slot.Number != number)
            {
                (number, processorTime, since) = (slot.Number, worker.TotalProcessorTime, _time.Elapsed);
                ShowProgress(number);
                continue;
            }

            worker.Refresh();
            var spent = worker.TotalProcessorTime - processorTime;
            if (number >= first && (spent > MaxProcessorTime || _time.Elapsed - since > MaxTime))
            {
                hang = $"hang: {spent.TotalSeconds:0.0} s of the processor";
                worker.Kill();
            }
        }

        reading.Wait();
        if (worker.ExitCode == 0)
        {
            return null;
        }

        var said = errors.Result.Split('\n', 2)[0].Trim();
        return hang ?? $"death of the process with {worker.ExitCode} ({MessageText.Shorten(said, 200)})";
    }

    Process StartWorker(string slotFile, long first)
    {
        var name = typeof(Supervisor).Assembly.GetName().Name + (OperatingSystem.IsWindows() ? ".exe" : "");
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, name))
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        IEnumerable<string> arguments =
        [
            "--worker",
            slotFile,
            "--first",
            first.ToString(CultureInfo.InvariantCulture),
            "--inputs",
            plan.Inputs.ToString(CultureInfo.InvariantCulture),
            "--seed",
            plan.Seed.ToString(CultureInfo.InvariantCulture),
            "--findings",
            plan.Findings,
            .. plan.Readers.SelectMany(reader => (string[])["--reader", reader.Name]),
        ];
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        return Process.Start(start)!;
    }

    void ReadReports(Process worker)
    {
        while (worker.StandardOutput.ReadLine() is { } line)
        {
            var report = JsonSerializer.Deserialize<WorkerReport>(line)!;
            foreach (var finding in report.Findings.Skip(_current.Findings.Count))
            {
                Tell(finding);
            }

            _current = report;
        }
    }

    /// <summary>Notes the input that a worker died of; returns the number of the next one.</summary>
    long Bury(InputSlot slot, string fault)
    {
        var (reader, _) = new Schedule(plan.Readers).Find(slot.Number - 1);
        var finding = FindingStore.Write(plan.Findings, plan.Readers[reader], slot.ReadInput(), fault, error: null);
        _current.Findings.Add(finding);
        Tell(finding);
        return slot.Number + 1;
    }

    /// <summary>Adds what the last worker reported; one that died said it at most two seconds before.</summary>
    void Merge()
    {
        foreach (var (name, figures) in _current.Readers)
        {
            _total.Readers.TryAdd(name, new());
            _total.Readers[name].Add(figures);
        }

        _current.Findings.ForEach(_total.Add);
        _total.Memory.AddRange(_current.Memory);
        if (_current.Memory is [var first, .., var last])
        {
            AddGrowth("heap", last.Heap - first.Heap, MaxHeapGrowth);
            AddGrowth("resident memory", last.Resident - first.Resident, MaxResidentGrowth);
        }

        _current = new();
    }

    void AddGrowth(string what, long bytes, long most)
    {
        if (bytes > most)
        {
            var finding = new Finding("all", $"growth: {what} by {bytes >> 20} MiB, at most {most >> 20}", "", "");
            _total.Add(finding);
            Tell(finding);
        }
    }

    void Tell(Finding finding)
    {
        output.WriteLine($"finding: {finding.Reader}: {finding.Fault} in {finding.Place}");
        if (finding.File.Length > 0)
        {
            output.WriteLine($"  {FindingStore.DescribeRepeat(finding.Reader, finding.File)}");
        }
    }

    void ShowProgress(long number)
    {
        if (_time.Elapsed - _lastProgress < ProgressInterval)
        {
            return;
        }

        _lastProgress = _time.Elapsed;
        var found = _total.Findings.Count + _current.Findings.Count;
        output.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{number:N0} of {plan.Inputs:N0} inputs, {number / _time.Elapsed.TotalSeconds:N0}/s, {found} findings"
            )
        );
    }
}
