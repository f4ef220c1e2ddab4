namespace CoPe.Adapters;

/// <summary>
/// Which adapters one row of a pass uses: none (<see cref="Base"/>), the task's (<see cref="Task"/>), a user's, or
/// both, the user's on top of the task's (<see cref="TaskAndUser"/>).
/// </summary>
public readonly record struct AdapterSelection
{
    AdapterSelection(bool usesTask, int? user) => (UsesTask, User) = (usesTask, user);

    /// <summary>The base model: no adapter.</summary>
    public static AdapterSelection Base => default;

    /// <summary>The task-adaptive model: the task's adapter alone.</summary>
    public static AdapterSelection Task => new(true, null);

    /// <summary>The task's adapter and a user's on top of it.</summary>
    /// <param name="user">Index in the bank of user adapters.</param>
    public static AdapterSelection TaskAndUser(int user) => new(true, user);

    /// <summary>A user's adapter alone.</summary>
    /// <param name="user">Index in the bank of user adapters.</param>
    public static AdapterSelection UserOnly(int user) => new(false, user);

    /// <summary>Whichever adapters are named; null for no user's.</summary>
    internal static AdapterSelection Create(bool usesTask, int? user) => new(usesTask, user);

    /// <summary>Whether the task's adapter is used.</summary>
    public bool UsesTask { get; }

    /// <summary>Index of the user's adapter in the bank of user adapters; null for none.</summary>
    public int? User { get; }
}

/// <summary>The task's adapter and the users' adapters that selections refer to. Owns neither bank.</summary>
/// <param name="task">Bank of one; null for none.</param>
/// <param name="users">The users' adapters; null for none.</param>
sealed class AdapterBanks(AdapterBank? task, AdapterBank? users)
{
    /// <summary>Throws unless the selected adapters exist.</summary>
    /// <param name="selection">The adapters selected.</param>
    /// <param name="source">Whose selection it is, for the message.</param>
    /// <exception cref="ArgumentException">An adapter does not exist.</exception>
    public void RequireLoaded(AdapterSelection selection, string source)
    {
        if (selection.UsesTask && task is null)
        {
            throw new ArgumentException($"{source} uses the task adapter, but none was given.");
        }
        var count = users?.Count ?? 0;
        if (selection.User is { } user && (user < 0 || user >= count))
        {
            throw new ArgumentException(
                $"{source} uses user adapter {user}, but the user bank holds {count}; "
                    + "expected an index from 0 below that."
            );
        }
    }

    /// <summary>
    /// The adapters of a pass whose row i uses <paramref name="rows"/>[i]; null where no row uses any. The caller
    /// disposes of them.
    /// </summary>
    public AdapterRows? SelectRows(IReadOnlyList<AdapterSelection> rows)
    {
        var lower = SelectTask(rows);
        var upper = SelectUsers(rows);
        if (lower is null)
        {
            return upper;
        }
        return upper is null ? lower : lower.With(upper);
    }

    AdapterRows? SelectTask(IReadOnlyList<AdapterSelection> rows)
    {
        if (!rows.Any(row => row.UsesTask))
        {
            return null;
        }
        if (rows.All(row => row.UsesTask))
        {
            return AdapterRows.All(task!);
        }
        return AdapterRows.ForRows(task!, [.. rows.Select(row => row.UsesTask ? 0 : -1)]);
    }

    AdapterRows? SelectUsers(IReadOnlyList<AdapterSelection> rows)
    {
        if (rows.All(row => row.User is null))
        {
            return null;
        }
        return AdapterRows.ForRows(users!, [.. rows.Select(row => row.User ?? -1)]);
    }
}
