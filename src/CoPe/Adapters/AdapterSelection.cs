using CoPe.Modeling;

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

    /// <summary>The invocation tokens of the selected adapters that act on the answer alone.</summary>
    public IEnumerable<IReadOnlyList<int>> FindInvocations(AdapterSelection selection)
    {
        IReadOnlyList<int>?[] levels = [FindTaskInvocation(selection), FindUserInvocation(selection)];
        return levels.OfType<IReadOnlyList<int>>();
    }

    /// <summary>The task's adapter where the selection uses it; else null.</summary>
    public AdapterBank? FindTask(AdapterSelection selection) => selection.UsesTask ? task : null;

    /// <summary>Whether the selection has a user's adapter, and that acts everywhere.</summary>
    public bool UsesUserEverywhere(AdapterSelection selection) =>
        selection.User is not null && FindUserInvocation(selection) is null;

    /// <summary>
    /// The selected adapters as they act on a prompt and what follows it: none whose invocation tokens the prompt
    /// lacks.
    /// </summary>
    public PromptAdapters Resolve(AdapterSelection selection, IReadOnlyList<int> prompt) =>
        new(
            selection.UsesTask ? ActingAdapter.Find(task!, 0, prompt) : null,
            selection.User is { } user ? ActingAdapter.Find(users!, user, prompt) : null
        );

    IReadOnlyList<int>? FindTaskInvocation(AdapterSelection selection) =>
        selection.UsesTask ? task!.Config.InvocationTokens : null;

    IReadOnlyList<int>? FindUserInvocation(AdapterSelection selection) =>
        selection.User is { } user ? users!.GetConfig(user).InvocationTokens : null;

    /// <summary>
    /// The adapters of a pass whose row i uses <paramref name="rows"/>[i]; null where no row uses any. The caller
    /// disposes of them.
    /// </summary>
    public AdapterRows? SelectRows(IReadOnlyList<AdapterSelection> rows) =>
        AdapterRows.Stack(
            [.. rows.Select(row => row.UsesTask ? (task!, 0) : ((AdapterBank, int)?)null)],
            [.. rows.Select(row => row.User is { } user ? (users!, user) : ((AdapterBank, int)?)null)]
        );
}

/// <summary>
/// The adapters of a row and where in its prompt they begin to act. Rows with equal ones compute the same from the same
/// tokens, whichever engines they belong to.
/// </summary>
/// <param name="Task">The task's; null for none.</param>
/// <param name="User">The user's; null for none.</param>
readonly record struct PromptAdapters(ActingAdapter? Task, ActingAdapter? User)
{
    /// <summary>
    /// The adapters of a pass whose row i has <paramref name="rows"/>[i], of whichever banks; null where no row has
    /// any. The caller disposes of them.
    /// </summary>
    public static AdapterRows? SelectRows(IReadOnlyList<PromptAdapters> rows) =>
        AdapterRows.Stack([.. rows.Select(row => Place(row.Task))], [.. rows.Select(row => Place(row.User))]);

    static (AdapterBank Bank, int Index)? Place(ActingAdapter? adapter) =>
        adapter is { } one ? (one.Bank, one.Index) : null;

    /// <summary>The adapters that act on the whole prompt.</summary>
    public PromptAdapters OnPrompt => new(Task is { Start: 0 } ? Task : null, User is { Start: 0 } ? User : null);

    /// <summary>Columns that <see cref="OnPrompt"/> alone act on.</summary>
    public int AnswerStart => Math.Min(GetAnswerStart(Task), GetAnswerStart(User));

    static int GetAnswerStart(ActingAdapter? adapter) => adapter is { Start: > 0 and var start } ? start : int.MaxValue;
}

/// <summary>An adapter that acts on a row. Equal ones compute the same, though they may have been read twice.</summary>
/// <param name="Bank">Where it is.</param>
/// <param name="Index">Which of the bank's.</param>
/// <param name="Version">The bank's version: other weights are another adapter.</param>
/// <param name="Start">The first column that it acts on.</param>
readonly record struct ActingAdapter(AdapterBank Bank, int Index, int Version, int Start)
{
    /// <summary>An adapter of a bank as it acts on a prompt; null where its invocation tokens are not there.</summary>
    public static ActingAdapter? Find(AdapterBank bank, int index, IReadOnlyList<int> prompt)
    {
        var invocation = bank.GetConfig(index).InvocationTokens;
        var start = invocation is null ? 0 : InvocationTokens.FindLast(prompt, invocation);
        return start == InvocationTokens.Never ? null : new(bank, index, bank.Version, start);
    }

    public bool Equals(ActingAdapter other) =>
        Bank.Identity.Equals(other.Bank.Identity)
        && (Index, Version, Start) == (other.Index, other.Version, other.Start);

    public override int GetHashCode() => HashCode.Combine(Bank.Identity, Index, Version, Start);
}
