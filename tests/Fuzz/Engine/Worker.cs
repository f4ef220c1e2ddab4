using System.Diagnostics;
using System.Runtime;
using CoPe.Fuzz.Mutations;
using CoPe.Fuzz.Readers;

namespace CoPe.Fuzz.Engine;

/// <summary>Feeds the readers, in a process that may die of it.</summary>
sealed class Worker : IDisposable
{
    /// <summary>How often memory is measured in a run.</summary>
    const int MemoryFigures = 10;

    static readonly TimeSpan ReportInterval = TimeSpan.FromSeconds(2);

    readonly FuzzPlan _plan;
    readonly Schedule _schedule;
    readonly InputSlot _slot;
    readonly Scratch _scratch = new();
    readonly ReaderSession[] _sessions;
    readonly WorkerReport _report = new();

    public Worker(FuzzPlan plan, string slot)
    {
        _plan = plan;
        _schedule = new(plan.Readers);
        _slot = new(slot);
        _sessions = [.. plan.Readers.Select(reader => new ReaderSession(reader, _scratch))];
    }

    /// <summary>Reads the inputs from a number on, and tells from time to time how far it is.</summary>
    public void Run(long first, Action<WorkerReport> send)
    {
        var measureEvery = Math.Max(1, (_plan.Inputs - first) / MemoryFigures);
        var lastReport = Stopwatch.GetTimestamp();
        for (var number = first; number <= _plan.Inputs; number++)
        {
            var (reader, index) = _schedule.Find(number - 1);
            ReadOne(number, _sessions[reader], index);
            if ((number - first + 1) % measureEvery == 0)
            {
                _report.Memory.Add(MeasureMemory());
            }

            if (Stopwatch.GetElapsedTime(lastReport) > ReportInterval)
            {
                send(_report);
                lastReport = Stopwatch.GetTimestamp();
            }
        }

        send(_report);
    }

    void ReadOne(long number, ReaderSession session, long index)
    {
        if (session.Figures.Inputs == 0)
        {
            CheckSeed(session);
        }

        var start = Stopwatch.GetTimestamp();
        var input = session.CreateInput(_plan.Seed, index);
        _slot.Write(number, input);
        var figures = session.Figures;
        try
        {
            session.Read(input);
            figures.Accepted++;
        }
        catch (Exception error)
        {
            var name = error.GetType().Name;
            figures.Refused[name] = figures.Refused.GetValueOrDefault(name) + 1;
            if (Oracle.FindFault(session.Reader, error) is { } fault)
            {
                Record(session.Reader, input, fault, error);
            }
        }

        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        figures.Inputs++;
        figures.Seconds += seconds;
        figures.SlowestSeconds = Math.Max(figures.SlowestSeconds, seconds);
        _report.Readers[session.Reader.Name] = figures;
    }

    /// <summary>A reader that refuses its seed would be fed with nothing but rubbish.</summary>
    void CheckSeed(ReaderSession session)
    {
        try
        {
            session.Read(session.Seeds[0]);
        }
        catch (Exception error)
        {
            Record(session.Reader, session.Seeds[0], "the first seed is refused", error);
        }
    }

    void Record(FuzzedReader reader, byte[] input, string fault, Exception error)
    {
        var place = FindingStore.FindPlace(error);
        var known = _report.Findings.Find(finding =>
            (finding.Reader, finding.Fault, finding.Place) == (reader.Name, fault, place)
        );
        if (known is not null)
        {
            known.Count++;
            return;
        }

        _report.Findings.Add(FindingStore.Write(_plan.Findings, reader, input, fault, error));
    }

    static MemoryFigures MeasureMemory()
    {
        GCSettings.LargeObjectHeapCompactionMode = GCLargeObjectHeapCompactionMode.CompactOnce;
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        GC.WaitForPendingFinalizers();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        return new(GC.GetTotalMemory(forceFullCollection: false), Environment.WorkingSet);
    }

    public void Dispose()
    {
        _slot.Dispose();
        _scratch.Dispose();
    }
}

/// <summary>A reader at work: its seeds and files are made when it is first used.</summary>
/// <param name="reader">The reader.</param>
/// <param name="scratch">A folder for its files.</param>
sealed class ReaderSession(FuzzedReader reader, Scratch scratch)
{
    readonly Lazy<byte[][]> _seeds = new(() => [.. reader.Seeds(scratch)]);
    readonly Lazy<Action<byte[]>> _read = new(() => reader.Open(scratch));
    readonly byte[][] _words = Bytes.OfAll(reader.Words);

    public FuzzedReader Reader => reader;

    public IReadOnlyList<byte[]> Seeds => _seeds.Value;

    public ReaderFigures Figures { get; } = new();

    /// <summary>The reader's input of a place, the same in every process.</summary>
    public byte[] CreateInput(long seed, long index)
    {
        var own = StableHash.Fnv1a64(reader.Name, (ulong)seed);
        var choices = new Choices(SplitMix64.Hash(own + SplitMix64.Hash((ulong)index)));
        return new Mutator(reader.Format, Seeds, _words).Create(choices);
    }

    public void Read(byte[] input) => _read.Value(input);
}
