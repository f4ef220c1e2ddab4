namespace CoPe.Evaluation;

/// <summary>Differences of two methods per unit: their sum over the unit's queries, and how many these are.</summary>
sealed record PairedValues(PairedUnit Unit, IReadOnlyList<(double Sum, int Count)> Units)
{
    public static PairedValues Of(MethodScores method, MethodScores baseline, string metric, PairedUnit unit)
    {
        var other = baseline.Queries.Where(query => query.Values.ContainsKey(metric)).ToDictionary(query => query.Id, query => query.Values[metric], StringComparer.Ordinal);
        var shared = method.Queries.Where(query => query.Values.ContainsKey(metric) && other.ContainsKey(query.Id))
            .Select(query => (query.UserId, Difference: query.Values[metric] - other[query.Id])).ToList();
        if (shared.Count == 0) return new(PairedUnit.Users, OfUsers(method, baseline, metric));
        if (unit == PairedUnit.Users && shared.All(query => query.UserId is not null))
        {
            var users = shared.GroupBy(query => query.UserId, StringComparer.Ordinal).Select(user => (user.Sum(query => query.Difference), user.Count())).ToList();
            if (users.Count > 1) return new(PairedUnit.Users, users);
        }
        return new(PairedUnit.Queries, [.. shared.Select(query => (query.Difference, 1))]);
    }

    /// <summary>For a metric that a single query does not have: the difference of each user's own value.</summary>
    static List<(double, int)> OfUsers(MethodScores method, MethodScores baseline, string metric)
    {
        var other = baseline.Users.Where(user => user.Values.ContainsKey(metric)).ToDictionary(user => user.UserId, user => user.Values[metric], StringComparer.Ordinal);
        return [.. method.Users.Where(user => user.Values.ContainsKey(metric) && other.ContainsKey(user.UserId))
            .Select(user => (user.Values[metric] - other[user.UserId], 1))];
    }
}
