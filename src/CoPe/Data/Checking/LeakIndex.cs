using CoPe.Data.Tasks;

namespace CoPe.Data.Checking;

/// <summary>What of the test users must not be trained on: their queries, and for the task-adaptive model their histories too.</summary>
sealed class LeakIndex(TaskDefinition definition)
{
    readonly Dictionary<UInt128, string> queries = [];
    readonly Dictionary<UInt128, string> items = [];
    readonly HashSet<string> queryIds = [];

    /// <summary>Takes a test user; a gold may come from the label file.</summary>
    public void Add(LampUser user, Func<LampQuery, string> goldOf)
    {
        foreach (var query in user.Queries)
        {
            queryIds.Add(query.Id);
            foreach (var key in Keys(query.Input, goldOf(query))) queries.TryAdd(key, $"query {query.Id} of user {user.Id}");
        }

        foreach (var item in user.Profile)
            foreach (var key in Keys(item)) items.TryAdd(key, $"item {item.Id} of user {user.Id}");
    }

    /// <summary>The test query whose text a history item holds, in words; null where there is none.</summary>
    public string? QueryIn(HistoryItem item) => Keys(item).Select(queries.GetValueOrDefault).FirstOrDefault(found => found is not null);

    /// <summary>The test user's query or item that a training query holds, in words; null where there is none.</summary>
    public string? TestTextIn(LampQuery query, string gold) => queryIds.Contains(query.Id) ? $"query {query.Id} by its id"
        : Keys(query.Input, gold).Select(key => queries.GetValueOrDefault(key) ?? items.GetValueOrDefault(key)).FirstOrDefault(found => found is not null);

    IEnumerable<UInt128> Keys(HistoryItem item)
    {
        // An item without input of its own would match every other one by the wording alone.
        var hasInput = TextKey.Of(definition.Task.InputFields.Select(field => item.Fields[field])) is not null;
        return Keys(hasInput ? definition.Template.HistoryInput(item) : "", item.Fields[definition.Task.OutputField]);
    }

    IEnumerable<UInt128> Keys(string input, string answer)
    {
        // Without input fields, every request is the same.
        if (definition.Task.InputFields.Count > 0 && TextKey.Of(input) is { } worded) yield return worded ^ 1;
        if (definition.Task.Outcome == TaskOutcome.Text && TextKey.Of(answer) is { } own) yield return own;
    }
}
