namespace CoPe.Data.Checking;

/// <summary>Checks the items of one user's history.</summary>
/// <param name="shared">What is known across files.</param>
/// <param name="ownQueries">Ids of the user's own queries.</param>
/// <param name="fault">Reports what is wrong within a text and returns it clean.</param>
sealed class ItemCheck(CheckContext shared, HashSet<string> ownQueries, Func<string, DataFilePlace, bool, string> fault)
{
    readonly HashSet<string> ids = [];
    readonly HashSet<UInt128> texts = [];

    /// <summary>The item as a clean copy has it; null where it is left out.</summary>
    public HistoryItem? Clean(HistoryItem item, DataFilePlace place)
    {
        var task = shared.Definition.Task;
        if (!ids.Add(item.Id)) return Drop(CheckRules.DuplicateItem, place, "a second item with this id");
        if (ownQueries.Contains(item.Id)) return Drop(CheckRules.LeakId, place, "it is the user's own query");
        if (shared.Index.QueryIn(item) is { } query) return Drop(CheckRules.LeakText, place, $"it is {query}");
        if (TextKey.Of(task.InputFields.Append(task.OutputField).Select(field => item.Fields[field])) is { } key && !texts.Add(key)) return Drop(CheckRules.DuplicateText, place, "the same texts as an earlier item");
        foreach (var field in task.InputFields.Where(field => string.IsNullOrWhiteSpace(item.Fields[field])))
            shared.Findings.Add(CheckRules.EmptyInput, place with { Field = field }, "an empty text");
        return item with { Fields = item.Fields.ToDictionary(pair => pair.Key, pair => fault(pair.Value, place with { Field = pair.Key }, pair.Key == task.OutputField)) };
    }

    HistoryItem? Drop(CheckRule rule, DataFilePlace place, string detail)
    {
        shared.Findings.Add(rule, place, detail);
        return null;
    }
}
