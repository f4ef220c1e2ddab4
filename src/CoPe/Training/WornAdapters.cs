using CoPe.Adapters;
using static TorchSharp.torch;

namespace CoPe.Training;

/// <summary>What rows wear while adapters train: the task's below, frozen, and their user's above. Owns neither.</summary>
/// <param name="Task">Worn by every row; null for none.</param>
/// <param name="Users">One adapter a user; null for rows that wear the task's alone.</param>
internal sealed record WornAdapters(AdapterBank? Task, AdapterBank? Users)
{
    /// <summary>The adapters of a pass's rows, the caller's; null if they wear none. The users' drop inputs by streams of these seeds, if given.</summary>
    public AdapterRows? Of(IReadOnlyList<PlannedRow> rows, long[]? dropoutSeeds = null)
    {
        var own = Users is null ? null : AdapterRows.Of(Users, [.. rows.Select(row => row.User)]);
        if (own is not null && dropoutSeeds is not null)
            own = own.WithDropout([.. dropoutSeeds.Select(seed => new Generator((ulong)seed))]);
        if (Task is null) return own;
        return own is null ? AdapterRows.All(Task) : AdapterRows.All(Task).With(own);
    }
}
