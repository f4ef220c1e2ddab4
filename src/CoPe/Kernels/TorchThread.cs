using static TorchSharp.torch;

namespace CoPe.Kernels;

/// <summary>
/// A thread that runs jobs with one torch thread to itself and is kept for the next ones. glibc gives a new thread whichever of its arenas is free, and each arena keeps the largest working
/// set it ever served: threads made anew for every step would grow a dozen of them, kept ones grow their own alone.
/// </summary>
sealed class TorchThread
{
    static readonly Stack<TorchThread> Idle = new();

    readonly object gate = new();
    Action? work; // null: idle

    TorchThread() => new Thread(Work) { IsBackground = true, Name = "torch" }.Start();

    /// <summary>Runs the body once on each of so many threads and waits for all; a body may not throw.</summary>
    public static void RunOnEach(int threads, Action<int> body)
    {
        var crew = Enumerable.Range(0, threads).Select(_ => Take()).ToArray();
        for (var i = 0; i < threads; i++) crew[i].Begin(body, i);
        foreach (var thread in crew) thread.End();
        lock (Idle)
            foreach (var thread in crew.Reverse()) Idle.Push(thread); // so that the next crew stands in the same order
    }

    static TorchThread Take()
    {
        lock (Idle)
            if (Idle.TryPop(out var idle)) return idle;
        return new();
    }

    void Begin(Action<int> body, int number)
    {
        lock (gate)
        {
            work = () => body(number);
            Monitor.PulseAll(gate);
        }
    }

    void End()
    {
        lock (gate)
            while (work is not null) Monitor.Wait(gate);
    }

    void Work()
    {
        _ = get_num_threads(); // a thread takes the process's setting at its first question or operation, whenever that is: here, before its own is set
        set_num_threads(1); // this thread's own setting, but also that of threads to come: the caller's is restored by TorchThreads.SideBySide
        while (true)
        {
            Action job;
            lock (gate)
            {
                while (work is null) Monitor.Wait(gate);
                job = work;
            }

            job();
            lock (gate)
            {
                work = null;
                Monitor.PulseAll(gate);
            }
        }
    }
}
