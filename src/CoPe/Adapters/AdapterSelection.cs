namespace CoPe.Adapters;

/// <summary>The adapters that one row wears, the task's below and a user's above.</summary>
/// <param name="Task">Whether it wears the task adapter.</param>
/// <param name="User">Index in the user bank, or -1 for none.</param>
public readonly record struct AdapterSelection(bool Task, int User = -1)
{
    /// <summary>The base model: no adapter.</summary>
    public static AdapterSelection Base => new(false);

    /// <summary>The task-adaptive model: the task adapter alone.</summary>
    public static AdapterSelection TaskOnly => new(true);
}

/// <summary>The adapters at hand, and which of them the rows of one pass wear.</summary>
sealed class AdapterBanks(AdapterBank? task, AdapterBank? users)
{
    /// <summary>Checks that the adapters exist; <paramref name="wearer"/> says who asks.</summary>
    public void RequireLoaded(AdapterSelection worn, string wearer)
    {
        if (worn.Task && task is null)
        {
            throw new ArgumentException($"{wearer} wears the task adapter, but none was given.");
        }

        if (worn.User < -1 || worn.User >= (users?.Count ?? 0))
        {
            throw new ArgumentException(
                $"{wearer} wears user adapter {worn.User}, but the user bank holds {users?.Count ?? 0}; expected -1 (none) or an index below that."
            );
        }
    }

    /// <summary>
    /// Adapters of a pass whose row i wears <paramref name="rows"/>[i]; null where nobody wears any. The caller
    /// disposes of it.
    /// </summary>
    public AdapterRows? SelectRows(IReadOnlyList<AdapterSelection> rows)
    {
        var lower =
            !rows.Any(row => row.Task) ? null
            : rows.All(row => row.Task) ? AdapterRows.All(task!)
            : AdapterRows.ForRows(task!, [.. rows.Select(row => row.Task ? 0 : -1)]);
        var upper = rows.All(row => row.User < 0)
            ? null
            : AdapterRows.ForRows(users!, [.. rows.Select(row => row.User)]);
        return lower is null ? upper
            : upper is null ? lower
            : lower.With(upper);
    }
}
