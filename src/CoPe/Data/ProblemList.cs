namespace CoPe.Data;

/// <summary>What was left out or changed while data were read: the first places in words, and how many there are.</summary>
sealed class ProblemList(int kept = 20)
{
    readonly List<string> first = [];

    /// <summary>The first of them.</summary>
    public IReadOnlyList<string> First => first;

    /// <summary>How many there are.</summary>
    public int Count { get; private set; }

    /// <summary>How many there are and the first of them, in brackets; nothing where there is none.</summary>
    public string Hint => Count == 0 ? "" : $" ({(Count == 1 ? "one entry" : $"{Count} entries")} left out or changed, the first: {first[0]})";

    /// <summary>Takes one.</summary>
    public void Add(DataFileException problem)
    {
        if (++Count <= kept) first.Add(problem.Message);
    }
}
