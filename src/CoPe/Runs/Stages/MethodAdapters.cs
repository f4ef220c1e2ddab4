using CoPe.Adapters;
using CoPe.Decoding;
using CoPe.Runs.Recipes;

namespace CoPe.Runs.Stages;

/// <summary>The adapters that a method's rows wear. Where the amateur is the user's SFT adapter beside a DPO expert, both are in one bank, the expert's first.</summary>
sealed class MethodAdapters : IDisposable
{
    readonly AdapterBank? stacked;
    readonly bool isOnTask;
    readonly bool isOnUser;
    readonly AmateurKind? amateur;
    readonly int offset;

    /// <summary>Gathers the banks of a method under a recipe.</summary>
    public MethodAdapters(RunWorkspace workspace, PredictionMethod method, Recipe recipe)
    {
        var task = method.TaskAdapterOf(recipe);
        amateur = method.AmateurOf(recipe);
        (isOnTask, isOnUser) = (task != TaskAdapterKind.None, method.UserAdapter != UserAdapterKind.None);
        Task = isOnTask ? workspace.TaskAdapter(task) : amateur is null ? null : workspace.Tam;
        Users = workspace.UserAdapters(method.UserAdapter);
        if (amateur != AmateurKind.Sft || method.UserAdapter == UserAdapterKind.Sft) return;
        offset = Users!.Count;
        Users = stacked = AdapterBank.Stack([Users, workspace.UserAdapters(UserAdapterKind.Sft)!]);
    }

    /// <summary>The adapter for the task; null where no row wears one.</summary>
    public AdapterBank? Task { get; }

    /// <summary>The bank for the engine; null where no row wears a user's adapter.</summary>
    public AdapterBank? Users { get; }

    /// <summary>What the expert of a user wears.</summary>
    public WornAdapters Expert(int user) => new(isOnTask, isOnUser ? user : -1);

    /// <summary>What the amateur of a user wears; null where none is contrasted.</summary>
    public WornAdapters? Amateur(int user) => amateur switch
    {
        null => null,
        AmateurKind.Base => WornAdapters.Base,
        AmateurKind.Sft => new WornAdapters(true, offset + user),
        _ => WornAdapters.TaskAdaptiveModel,
    };

    /// <inheritdoc/>
    public void Dispose() => stacked?.Dispose();
}
