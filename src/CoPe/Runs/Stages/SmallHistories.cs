using Microsoft.Extensions.Logging;

namespace CoPe.Runs.Stages;

/// <summary>Says once a stage, not once a group, that histories are too small to learn much from.</summary>
static class SmallHistories
{
    const int MostNamed = 5;

    /// <summary>Warns of users without an example, and of those with fewer than one batch.</summary>
    public static void Warn<T>(ILogger log, string stage, IReadOnlyList<UserTraining<T>> users, int batch)
    {
        var none = users.Where(user => user.Examples.Count == 0).Select(user => user.Id).ToList();
        var small = users.Where(user => user.Examples.Count > 0 && user.Examples.Count < batch).ToList();
        if (none.Count > 0)
        {
            log.LogWarning("{Stage}: no example to learn from, so the adapter stays as it is: {Count} of {Users} users ({Names}{More})", stage, none.Count, users.Count,
                string.Join(", ", none.Take(MostNamed)), none.Count > MostNamed ? ", ..." : "");
        }

        if (small.MinBy(user => user.Examples.Count) is not { } smallest) return;
        log.LogWarning("{Stage}: histories are small: the examples of {Count} of {Users} users do not fill one batch of {Batch}; user {Smallest} has the fewest, {Examples}",
            stage, small.Count, users.Count, batch, smallest.Id, smallest.Examples.Count);
    }
}
