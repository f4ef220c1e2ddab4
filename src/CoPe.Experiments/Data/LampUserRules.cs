using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data;

/// <summary>
/// What a user of a file must have beyond its format: a unique identifier, queries with unique identifiers, and a
/// history where one is needed.
/// </summary>
sealed class LampUserRules(
    string file,
    bool needsHistory,
    Action<DataFileException>? onUserSkipped,
    bool needsQueries = true
)
{
    readonly HashSet<string> _users = [];
    readonly HashSet<string> _queries = [];

    /// <summary>True for a user to keep, false for one left out and reported.</summary>
    public bool Accept(LampUser user)
    {
        var location = new DataFileLocation { File = file, User = user.Id };
        if (!_users.Add(user.Id))
        {
            throw new DataFileException(
                location,
                "two users with this user_id",
                "each user once",
                "Rename or take out one of them."
            );
        }

        foreach (var query in user.Queries)
        {
            if (!_queries.Add(query.Id))
            {
                throw new DataFileException(
                    location with
                    {
                        Item = query.Id,
                    },
                    "two queries with this id in the file",
                    "each query once",
                    "Rename or take out one of them."
                );
            }
        }

        var lack = FindLack(user, location);
        if (lack is null)
        {
            return true;
        }

        if (onUserSkipped is null)
        {
            throw lack;
        }

        onUserSkipped(lack);
        return false;
    }

    DataFileException? FindLack(LampUser user, DataFileLocation location)
    {
        if (needsHistory && user.History.Count == 0)
        {
            return new(
                location with
                {
                    Field = "profile",
                },
                "an empty history",
                "one item at least",
                "A user without history cannot be personalized: give them a history, or take them out of the file."
            );
        }

        if (needsQueries && user.Queries.Count == 0)
        {
            return new(
                location with
                {
                    Field = "query",
                },
                "no query",
                "one query at least",
                "A user without queries gives nothing to train or test on: "
                    + "give them a query, or take them out of the file."
            );
        }

        return null;
    }
}
