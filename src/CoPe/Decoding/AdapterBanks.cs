using CoPe.Adapters;

namespace CoPe.Decoding;

/// <summary>The adapters at hand, and which of them the rows of one pass wear.</summary>
sealed class AdapterBanks(AdapterBank? task, AdapterBank? users)
{
    /// <summary>Checks that the adapters exist; <paramref name="wearer"/> says who asks.</summary>
    public void Check(WornAdapters worn, string wearer)
    {
        if (worn.Task && task is null)
            throw new ArgumentException($"{wearer} wears the task adapter, but none was given.");
        if (worn.User < -1 || worn.User >= (users?.Count ?? 0))
            throw new ArgumentException($"{wearer} wears user adapter {worn.User}, but the user bank holds {users?.Count ?? 0}; expected -1 (none) or an index below that.");
    }

    /// <summary>Adapters of a pass whose row i wears <paramref name="rows"/>[i]; null where nobody wears any. The caller disposes of it.</summary>
    public AdapterRows? Rows(IReadOnlyList<WornAdapters> rows)
    {
        var lower = !rows.Any(row => row.Task) ? null
            : rows.All(row => row.Task) ? AdapterRows.All(task!)
            : AdapterRows.Of(task!, [.. rows.Select(row => row.Task ? 0 : -1)]);
        var upper = rows.All(row => row.User < 0) ? null : AdapterRows.Of(users!, [.. rows.Select(row => row.User)]);
        return lower is null ? upper : upper is null ? lower : lower.With(upper);
    }
}
