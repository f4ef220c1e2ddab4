using CoPe.Adapters;
using CoPe.Decoding;
using CoPe.Runs.Recipes;

namespace CoPe.Runs.Stages;

/// <summary>The users' adapters that a method's rows wear. Where the amateur is the user's SFT adapter beside a DPO expert, both are in one bank, the expert's first.</summary>
sealed class MethodAdapters : IDisposable
{
    readonly AdapterBank? stacked;
    readonly PredictionMethod method;
    readonly AmateurKind amateur;
    readonly int offset;

    MethodAdapters(PredictionMethod method, AmateurKind amateur, AdapterBank? users, AdapterBank? stacked, int offset)
    {
        (this.method, this.amateur, this.stacked, this.offset) = (method, amateur, stacked, offset);
        Users = stacked ?? users;
    }

    /// <summary>The bank for the engine; null where no row wears a user's adapter.</summary>
    public AdapterBank? Users { get; }

    /// <summary>Gathers the banks of a method.</summary>
    public static MethodAdapters Of(RunWorkspace workspace, PredictionMethod method, AmateurKind amateur)
    {
        var experts = workspace.UserAdapters(method.UserAdapter);
        if (!method.Contrasts || amateur != AmateurKind.Sft || method.UserAdapter == UserAdapterKind.Sft) return new(method, amateur, experts, null, 0);
        var both = AdapterBank.Stack([experts!, workspace.UserAdapters(UserAdapterKind.Sft)!]);
        return new(method, amateur, experts, both, experts!.Count);
    }

    /// <summary>What the expert of a user wears.</summary>
    public WornAdapters Expert(int user) => new(method.UsesTam, method.UserAdapter == UserAdapterKind.None ? -1 : user);

    /// <summary>What the amateur of a user wears.</summary>
    public WornAdapters Amateur(int user) => amateur switch
    {
        AmateurKind.Base => WornAdapters.Base,
        AmateurKind.Sft => new(true, offset + user),
        _ => WornAdapters.TaskAdaptiveModel,
    };

    /// <inheritdoc/>
    public void Dispose() => stacked?.Dispose();
}
