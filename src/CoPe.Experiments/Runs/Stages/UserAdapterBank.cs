using CoPe.Adapters;
using CoPe.Experiments.Data;
using CoPe.Experiments.Runs.Recipes;

namespace CoPe.Experiments.Runs.Stages;

/// <summary>
/// The adapters of those users whom a stage is at work on, so that its memory does not grow with the users of the run.
/// Owns them.
/// </summary>
sealed class UserAdapterBank : IDisposable
{
    readonly List<UserAdapterKind> _kinds;
    readonly Dictionary<string, int> _places;

    /// <summary>Reads adapters from the run's folder.</summary>
    /// <param name="workspace">The run.</param>
    /// <param name="kinds">Which of each user's, at least one.</param>
    /// <param name="users">The users, at least one; each counts once.</param>
    public UserAdapterBank(RunWorkspace workspace, IEnumerable<UserAdapterKind> kinds, IEnumerable<LampUser> users)
    {
        _kinds = [.. kinds];
        List<string> ids = [.. users.Select(user => user.Id).Distinct()];
        _places = ids.Index().ToDictionary(pair => pair.Item, pair => pair.Index);
        Bank = workspace.ReadUserAdapters(_kinds, ids);
    }

    /// <summary>All of them, one kind after the other.</summary>
    public AdapterBank Bank { get; }

    /// <summary>The place of a user's adapter in the bank.</summary>
    public int GetIndex(UserAdapterKind kind, string user) => (_kinds.IndexOf(kind) * _places.Count) + _places[user];

    public void Dispose() => Bank.Dispose();
}
