namespace CoPe.Data;

/// <summary>What a user of a file must have beyond its format: an identifier of his own, queries of their own, and a history where one is needed.</summary>
sealed class LampRules(string file, bool needsHistory, Action<DataFileException>? leaveOut)
{
    readonly HashSet<string> users = [];
    readonly HashSet<string> queries = [];

    /// <summary>True for a user to keep, false for one left out and reported.</summary>
    public bool Accept(LampUser user)
    {
        var place = new DataFilePlace { File = file, User = user.Id };
        if (!users.Add(user.Id))
            throw new DataFileException(place, "two users with this user_id", "each user once", "Rename or take out one of them.");
        foreach (var query in user.Queries)
            if (!queries.Add(query.Id))
                throw new DataFileException(place with { Item = query.Id }, "two queries with this id in the file", "each query once", "Rename or take out one of them.");
        if (Lack(user, place) is not { } lack) return true;
        if (leaveOut is null) throw lack;
        leaveOut(lack);
        return false;
    }

    DataFileException? Lack(LampUser user, DataFilePlace place) =>
        needsHistory && user.Profile.Count == 0
            ? new(place with { Field = "profile" }, "an empty history", "one item at least",
                "A user without history cannot be personalised: give him a history, or take him out of the file.")
        : user.Queries.Count == 0
            ? new(place with { Field = "query" }, "no query", "one query at least",
                "A user without queries gives nothing to train or test on: give him a query, or take him out of the file.")
        : null;
}
