using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data;

/// <summary>Tells how far work on data is, and ends it where that is asked for.</summary>
/// <param name="Listener">Who is told; nobody by default.</param>
/// <param name="Cancellation">Asks for an early end.</param>
sealed record DataProgress(IProgress<StageProgress>? Listener = null, CancellationToken Cancellation = default)
{
    const long MegaByte = 1_000_000;

    /// <summary>Tells how much of a file was read.</summary>
    public void ReportRead(string stage, string path, long bytes, long length) =>
        Report(stage, bytes / MegaByte, Math.Max(1, length / MegaByte), "MB of " + Path.GetFileName(path));

    /// <summary>Tells how much was done.</summary>
    /// <exception cref="OperationCanceledException">The end was asked for.</exception>
    public void Report(string stage, long done, long total, string unit)
    {
        Cancellation.ThrowIfCancellationRequested();
        Listener?.Report(
            new()
            {
                Stage = stage,
                Done = done,
                Total = total,
                Unit = unit,
            }
        );
    }
}

/// <summary>
/// What was left out or changed while data were read: the first places in words, and how many there are.
/// </summary>
sealed class ProblemList(int kept = 20)
{
    readonly List<string> _first = [];

    /// <summary>The first of them.</summary>
    public IReadOnlyList<string> FirstMessages => _first;

    /// <summary>How many there are.</summary>
    public int Count { get; private set; }

    /// <summary>How many there are and the first of them, in brackets; nothing where there is none.</summary>
    public string Summary =>
        Count == 0
            ? ""
            : $" ({(Count == 1 ? "one entry" : $"{Count} entries")} left out or changed, the first: {_first[0]})";

    /// <summary>Takes one.</summary>
    public void Add(DataFileException problem)
    {
        if (++Count <= kept)
        {
            _first.Add(problem.Message);
        }
    }
}
