namespace CoPe.Data.Checking;

/// <summary>What was found, by rule: the first places of each, and how many there are.</summary>
public sealed class CheckFindings(int kept)
{
    readonly Dictionary<CheckRule, List<CheckFinding>> first = [];
    readonly Dictionary<CheckRule, int> counts = [];

    /// <summary>Errors found.</summary>
    public int Errors => Count(CheckSeverity.Error);

    /// <summary>Warnings found.</summary>
    public int Warnings => Count(CheckSeverity.Warning);

    /// <summary>Rules with findings, in the order of <see cref="CheckRules.All"/>.</summary>
    public IEnumerable<CheckRule> Rules => CheckRules.All.Where(counts.ContainsKey);

    /// <summary>How often a rule found something.</summary>
    public int CountOf(CheckRule rule) => counts.GetValueOrDefault(rule);

    /// <summary>The first places where a rule found something.</summary>
    public IReadOnlyList<CheckFinding> Of(CheckRule rule) => first.TryGetValue(rule, out var found) ? found : [];

    /// <summary>Takes a finding.</summary>
    public void Add(CheckRule rule, DataFilePlace place, string detail)
    {
        counts[rule] = counts.GetValueOrDefault(rule) + 1;
        if (!first.TryGetValue(rule, out var found)) first[rule] = found = [];
        if (found.Count < kept) found.Add(new(rule, place, detail));
    }

    int Count(CheckSeverity severity) => counts.Where(pair => pair.Key.Severity == severity).Sum(pair => pair.Value);
}
