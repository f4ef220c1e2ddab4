using CoPe.Adapters;
using static TorchSharp.torch;

namespace CoPe.Training;

/// <summary>What rows wear while adapters train: the task's below, frozen, and their user's above. Owns neither.</summary>
/// <param name="Task">Worn by every row; null for none.</param>
/// <param name="Users">One adapter a user; null for rows that wear the task's alone.</param>
internal sealed record TrainingAdapters(AdapterBank? Task, AdapterBank? Users)
{
    /// <summary>The adapters of a pass's rows, the caller's; null if they wear none.</summary>
    public AdapterRows? Of(IReadOnlyList<PlannedRow> rows) => Stack(OfUsers(rows));

    /// <summary>The same with the inputs of the users' adapters dropped, each row's by a seed of its own.</summary>
    public AdapterRows? Of(IReadOnlyList<PlannedRow> rows, IReadOnlyList<long> rowSeeds) => Stack(OfUsers(rows)?.WithDropout(rowSeeds));

    AdapterRows? OfUsers(IReadOnlyList<PlannedRow> rows) => Users is null ? null : AdapterRows.Of(Users, [.. rows.Select(row => row.User)]);

    AdapterRows? Stack(AdapterRows? own)
    {
        if (Task is null) return own;
        return own is null ? AdapterRows.All(Task) : AdapterRows.All(Task).With(own);
    }
}
