using System.Diagnostics;

namespace CoPe.Kernels;

/// <summary>
/// Threads that share the pieces of a kernel's work. A decoding step hands out work some hundred times a few hundred microseconds apart, so that a thread that slept in between would
/// spend most of the step waking up: these wait awake for a moment before they sleep. Pieces go to whoever is free, and a thread that the machine does not run in time is not waited for.
/// </summary>
static class KernelTeam
{
    /// <summary>How long a thread waits awake: longer than what lies between two kernels of a step, short enough that a core is free again as soon as a decoding has ended.</summary>
    static readonly long AwakeTicks = Stopwatch.Frequency / 2000;

    const int Closed = -1;

    static int leading;   // 1 while somebody's job is being done
    static readonly object bed = new();
    static int members;   // threads besides the caller's
    static int sleepers;
    static int calls;     // counts up with every job
    static int door = Closed; // members inside the job, or closed

    static Action<int> job = static _ => { };
    static int pieces;
    static int next;

    /// <summary>Runs the body for each piece 0 .. count - 1, on this thread and others. Where the team is at work already, for somebody else or for the piece that calls, on this one alone. A body may not throw.</summary>
    public static void Run(int threads, int count, Action<int> body)
    {
        if (threads <= 1 || count <= 1 || Interlocked.CompareExchange(ref leading, 1, 0) != 0)
        {
            for (var piece = 0; piece < count; piece++) body(piece);
            return;
        }
        try
        {
            while (members < threads - 1) Hire();
            (job, pieces, next) = (body, count, -1);
            Volatile.Write(ref door, 0);
            Interlocked.Increment(ref calls);
            if (Volatile.Read(ref sleepers) > 0) Wake();
            TakePieces();
            CloseDoor();
        }
        finally
        {
            Volatile.Write(ref leading, 0);
        }
    }

    /// <summary>Nobody new may come in; those inside finish their piece, for which a busy machine may have to give them this core.</summary>
    static void CloseDoor()
    {
        for (var waited = 0; Interlocked.CompareExchange(ref door, Closed, 0) != 0; waited++)
        {
            if (waited < 1000) Thread.SpinWait(1);
            else Thread.Yield();
        }
    }

    static void TakePieces()
    {
        for (var piece = Interlocked.Increment(ref next); piece < pieces; piece = Interlocked.Increment(ref next)) job(piece);
    }

    static void Hire()
    {
        var seen = calls;
        new Thread(() => Work(seen)) { IsBackground = true, Name = $"kernel {++members}" }.Start();
    }

    static void Work(int seen)
    {
        while (true)
        {
            seen = AwaitCall(seen);
            if (!Enter()) continue;
            TakePieces();
            Interlocked.Decrement(ref door);
        }
    }

    static bool Enter()
    {
        while (true)
        {
            var inside = Volatile.Read(ref door);
            if (inside == Closed) return false;
            if (Interlocked.CompareExchange(ref door, inside + 1, inside) == inside) return true;
        }
    }

    static int AwaitCall(int seen)
    {
        for (var end = Stopwatch.GetTimestamp() + AwakeTicks; Stopwatch.GetTimestamp() < end;)
        {
            if (Volatile.Read(ref calls) != seen) return Volatile.Read(ref calls);
            Thread.SpinWait(1);
        }
        lock (bed)
        {
            Interlocked.Increment(ref sleepers);
            while (Volatile.Read(ref calls) == seen) Monitor.Wait(bed);
            Interlocked.Decrement(ref sleepers);
        }
        return Volatile.Read(ref calls);
    }

    static void Wake()
    {
        lock (bed) Monitor.PulseAll(bed);
    }
}
