using CoPe.Adapters;
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
    readonly bool _usesTaskAdapter;
    readonly bool _usesUserAdapter;
    readonly AmateurKind? _amateur;
    readonly int _amateurOffset;

    /// <summary>Gathers the banks of a method under a recipe.</summary>
    public MethodAdapters(RunWorkspace workspace, PredictionMethod method, Recipe recipe)
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
        Users = workspace.UserAdapters(method.UserAdapter);
        if (_amateur != AmateurKind.Sft || method.UserAdapter == UserAdapterKind.Sft)
        {
            return;
        }

        _amateurOffset = Users!.Count;
        Users = _stacked = AdapterBank.Stack([Users, workspace.UserAdapters(UserAdapterKind.Sft)!]);
    }

    /// <summary>The adapter for the task; null where no row uses one.</summary>
    public AdapterBank? Task { get; }

    /// <summary>The bank for the engine; null where no row uses a user's adapter.</summary>
    public AdapterBank? Users { get; }

    /// <summary>The adapters of the expert of a user.</summary>
    public AdapterSelection Expert(int user) =>
        AdapterSelection.Create(_usesTaskAdapter, _usesUserAdapter ? user : null);

    /// <summary>The adapters of the amateur of a user; null where none is contrasted.</summary>
    public AdapterSelection? Amateur(int user) =>
        _amateur switch
        {
            null => null,
            AmateurKind.Base => AdapterSelection.Base,
            AmateurKind.Sft => _workspace.UserSelection(_amateurOffset + user),
            _ => _workspace.TamSelection,
        };

    public void Dispose() => _stacked?.Dispose();
}
