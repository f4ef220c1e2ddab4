namespace CoPe.Data;

/// <summary>Chooses items of a user's history to show to a model beside a request.</summary>
/// <param name="task">Says which fields of an item are its text.</param>
/// <param name="user">The user.</param>
public sealed class HistoryRetrieval(LampTask task, LampUser user)
{
    readonly Lazy<Bm25> index = new(() => new Bm25([.. user.Profile.Select(item => TextOf(task, item))]));

    /// <summary>The items nearest to the request by BM25 over input and answer, best first; of items that tie, the later ones.</summary>
    public IReadOnlyList<HistoryItem> Similar(string request, int count)
    {
        var scores = index.Value.Scores(request);
        return [.. Enumerable.Range(0, scores.Length).OrderByDescending(item => scores[item]).ThenByDescending(item => item).Take(count).Select(item => user.Profile[item])];
    }

    /// <summary>The latest items, the latest first.</summary>
    public IReadOnlyList<HistoryItem> Recent(int count) => [.. user.Profile.Reverse().Take(count)];

    static string TextOf(LampTask task, HistoryItem item) => string.Join('\n', task.InputFields.Append(task.OutputField).Select(field => item.Fields.GetValueOrDefault(field, "")));
}
