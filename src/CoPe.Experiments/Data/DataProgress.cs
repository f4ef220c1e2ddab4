using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data;

/// <summary>Reports how far work on data is, and ends it when it is canceled.</summary>
/// <param name="Listener">Receives the reports; null for nobody.</param>
/// <param name="Cancellation">Cancels the work.</param>
sealed record DataProgress(IProgress<StageProgress>? Listener = null, CancellationToken Cancellation = default)
{
    const long MegaByte = 1_000_000;

    /// <summary>Reports how much of a file was read.</summary>
    public void ReportRead(string stage, string path, long bytes, long length) =>
        Report(stage, bytes / MegaByte, Math.Max(1, length / MegaByte), "MB of " + Path.GetFileName(path));

    /// <summary>Reports how much was done.</summary>
    /// <exception cref="OperationCanceledException">The work was canceled.</exception>
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
/// What was left out or changed while data were read: the first messages, and how many there are.
/// </summary>
sealed class ProblemList(int kept = 20)
{
    readonly List<string> _first = [];

    /// <summary>The messages of the first problems.</summary>
    public IReadOnlyList<string> FirstMessages => _first;

    /// <summary>How many problems there are.</summary>
    public int Count { get; private set; }

    /// <summary>How many there are and the first of them, in brackets; nothing where there is none.</summary>
    public string Summary
    {
        get
        {
            if (Count == 0)
            {
                return "";
            }

            var entries = Count == 1 ? "one entry" : $"{Count} entries";
            return $" ({entries} left out or changed, the first: {_first[0]})";
        }
    }

    /// <summary>Adds a problem.</summary>
    public void Add(DataFileException problem)
    {
        if (++Count <= kept)
        {
            _first.Add(problem.Message);
        }
    }
}
