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
    readonly AdapterBank? _stacked;
    readonly RunWorkspace _workspace;
    readonly UserAdapterBank? _users;
    readonly bool _usesTaskAdapter;
    readonly bool _usesUserAdapter;
    readonly AmateurKind? _amateur;
    readonly int _amateurOffset;

    /// <summary>Gathers the banks of a method under a recipe, with the adapters of some users.</summary>
    public MethodAdapters(
        RunWorkspace workspace,
        PredictionMethod method,
        Recipe recipe,
        IReadOnlyCollection<LampUser> users
    )
    {
        _workspace = workspace;
        var task = method.ResolveTaskAdapter(recipe);
        _amateur = method.ResolveAmateur(recipe);
        (_usesTaskAdapter, _usesUserAdapter) = (
            task != TaskAdapterKind.None,
            method.UserAdapter != UserAdapterKind.None
        );
        Task =
            _usesTaskAdapter ? workspace.TaskAdapter(task)
            : _amateur is null ? null
            : workspace.Tam;
        if (!_usesUserAdapter)
        {
            return;
        }

        _users = workspace.SelectUserAdapters(method.UserAdapter, users);
        Users = _users.Bank;
        if (_amateur != AmateurKind.Sft || method.UserAdapter == UserAdapterKind.Sft)
        {
            return;
        }

        _amateurOffset = Users.Count;
        using var sft = workspace.SelectUserAdapters(UserAdapterKind.Sft, users);
        Users = _stacked = AdapterBank.Stack([Users, sft.Bank]);
    }

    /// <summary>The adapter for the task; null where no row uses one.</summary>
    public AdapterBank? Task { get; }

    /// <summary>The bank for the engine; null where no row uses a user's adapter.</summary>
    public AdapterBank? Users { get; }

    /// <summary>The adapters of the expert of a user.</summary>
    public AdapterSelection Expert(string user) => AdapterSelection.Create(_usesTaskAdapter, _users?.GetIndex(user));

    /// <summary>The adapters of the amateur of a user; null where none is contrasted.</summary>
    public AdapterSelection? Amateur(string user) =>
        _amateur switch
        {
            null => null,
            AmateurKind.Base => AdapterSelection.Base,
            AmateurKind.Sft => _workspace.UserSelection(_amateurOffset + _users!.GetIndex(user)),
            _ => _workspace.TamSelection,
        };

    /// <summary>Whether the method contrasts.</summary>
    public bool HasAmateur => _amateur is not null;

    public void Dispose()
    {
        _stacked?.Dispose();
        _users?.Dispose();
    }
}
