namespace CoPe.Fuzz.Engine;

/// <summary>What a worker has done so far; it goes to the supervisor as a line of JSON.</summary>
sealed record WorkerReport
{
    /// <summary>Figures of the readers, by name.</summary>
    public SortedDictionary<string, ReaderFigures> Readers { get; init; } = [];

    public List<Finding> Findings { get; init; } = [];

    /// <summary>Memory in use, from time to time.</summary>
    public List<MemoryFigures> Memory { get; init; } = [];

    /// <summary>Adds a finding, or counts it with the first of its kind.</summary>
    public void Add(Finding finding)
    {
        var known = Findings.Find(other =>
            (other.Reader, other.Fault, other.Place) == (finding.Reader, finding.Fault, finding.Place)
        );
        if (known is null)
        {
            Findings.Add(finding);
        }
        else
        {
            known.Count += finding.Count;
        }
    }
}

/// <summary>How a reader did.</summary>
sealed record ReaderFigures
{
    public long Inputs { get; set; }

    public long Accepted { get; set; }

    /// <summary>Inputs refused, by the exception's name.</summary>
    public SortedDictionary<string, long> Refused { get; init; } = [];

    /// <summary>Time of making and reading its inputs.</summary>
    public double Seconds { get; set; }

    /// <summary>Longest time of one input.</summary>
    public double SlowestSeconds { get; set; }

    public void Add(ReaderFigures other)
    {
        Inputs += other.Inputs;
        Accepted += other.Accepted;
        Seconds += other.Seconds;
        SlowestSeconds = Math.Max(SlowestSeconds, other.SlowestSeconds);
        foreach (var (error, count) in other.Refused)
        {
            Refused[error] = Refused.GetValueOrDefault(error) + count;
        }
    }
}

/// <summary>An input that a reader did not treat as it should.</summary>
/// <param name="Reader">The reader.</param>
/// <param name="Fault">What was wrong.</param>
/// <param name="Place">Where in the sources; empty where that is not known.</param>
/// <param name="File">The input.</param>
sealed record Finding(string Reader, string Fault, string Place, string File)
{
    /// <summary>Inputs with the same fault at the same place.</summary>
    public long Count { get; set; } = 1;
}

/// <summary>Memory after a collection.</summary>
/// <param name="Heap">Bytes of objects.</param>
/// <param name="Resident">Bytes of the process.</param>
sealed record MemoryFigures(long Heap, long Resident);
