using CoPe.Adapters;
using CoPe.Experiments.Data;
using CoPe.Experiments.Runs.Recipes;

namespace CoPe.Experiments.Runs.Stages;

/// <summary>
/// The adapters that the rows of a method use. Where the amateur is the user's SFT adapter beside a DPO expert, both
/// are in one bank, the expert's first.
/// </summary>
sealed class MethodAdapters : IDisposable
{
    readonly RunWorkspace _workspace;
    readonly PredictionMethod _method;
    readonly UserAdapterBank? _users;
    readonly bool _usesTaskAdapter;
    readonly AmateurKind? _amateur;

    /// <summary>Gathers the banks of a method under a recipe, with the adapters of some users.</summary>
    public MethodAdapters(RunWorkspace workspace, PredictionMethod method, Recipe recipe, IEnumerable<LampUser> users)
    {
        (_workspace, _method) = (workspace, method);
        var task = method.ResolveTaskAdapter(recipe);
        _amateur = method.ResolveAmateur(recipe);
        _usesTaskAdapter = task != TaskAdapterKind.None;
        Task =
            _usesTaskAdapter ? workspace.TaskAdapter(task)
            : _amateur is null ? null
            : workspace.Tam;
        if (method.UserAdapter == UserAdapterKind.None)
        {
            return;
        }

        UserAdapterKind[] kinds =
            _amateur == AmateurKind.Sft ? [method.UserAdapter, UserAdapterKind.Sft] : [method.UserAdapter];
        _users = new UserAdapterBank(workspace, kinds.Distinct(), users);
    }

    /// <summary>The adapter for the task; null where no row uses one.</summary>
    public AdapterBank? Task { get; }

    /// <summary>The bank for the engine; null where no row uses a user's adapter.</summary>
    public AdapterBank? Users => _users?.Bank;

    /// <summary>The adapters of the expert of a user.</summary>
    public AdapterSelection Expert(string user) =>
        AdapterSelection.Create(_usesTaskAdapter, _users?.GetIndex(_method.UserAdapter, user));

    /// <summary>The adapters of the amateur of a user; null where none is contrasted.</summary>
    public AdapterSelection? Amateur(string user) =>
        _amateur switch
        {
            null => null,
            AmateurKind.Base => AdapterSelection.Base,
            AmateurKind.Sft => _workspace.UserSelection(_users!.GetIndex(UserAdapterKind.Sft, user)),
            _ => _workspace.TamSelection,
        };

    public void Dispose() => _users?.Dispose();
}
