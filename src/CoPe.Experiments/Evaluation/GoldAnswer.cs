using System.Collections;
using CoPe.Experiments.Data;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Evaluation;

/// <summary>What a prediction is scored against: the user's own answer, and the texts of the user's history.</summary>
public sealed record GoldAnswer
{
    /// <summary>The query.</summary>
    public required string Id { get; init; }

    /// <summary>The user's own answer.</summary>
    public required string Text { get; init; }

    /// <summary>The user; null where only a label file is known.</summary>
    public string? UserId { get; init; }

    /// <summary>
    /// The texts of the user's history (the task's output field), one list shared by all queries of the user; empty
    /// where not known.
    /// </summary>
    public IReadOnlyList<string> History { get; init; } = [];

    /// <summary>The golds of a dataset's test users, in file order.</summary>
    /// <param name="dataset">The data, golds filled in.</param>
    public static IReadOnlyList<GoldAnswer> FromDataset(LampDataset dataset) => FromUsers(dataset.Task, dataset.Users);

    /// <summary>The golds of some users, in their order.</summary>
    /// <param name="task">The task, which says what field of a history item the user wrote.</param>
    /// <param name="users">The users, golds filled in.</param>
    public static IReadOnlyList<GoldAnswer> FromUsers(LampTask task, IEnumerable<LampUser> users)
    {
        var golds = new List<GoldAnswer>();
        foreach (var user in users)
        {
            var history = new HistoryTexts(user, task.OutputField);
            golds.AddRange(
                user.Queries.Select(query => new GoldAnswer
                {
                    Id = query.Id,
                    Text = query.Gold,
                    UserId = user.Id,
                    History = history,
                })
            );
        }
        return golds;
    }

    /// <summary>The golds of a label file, whose users and histories are not known.</summary>
    /// <param name="labels">The label file.</param>
    public static IReadOnlyList<GoldAnswer> FromLabels(PredictionFile labels) =>
        [.. labels.Predictions.Select(label => new GoldAnswer { Id = label.Id, Text = label.Output })];
}

/// <summary>The texts of a user's history, read from it whenever they are asked for.</summary>
/// <param name="user">The user.</param>
/// <param name="field">The field of an item that the user wrote; an item without it has no text.</param>
sealed class HistoryTexts(LampUser user, string field) : IReadOnlyList<string>
{
    public int Count { get; } = ListTexts(user, field).Count();

    public string this[int index] => ListTexts(user, field).ElementAt(index);

    public IEnumerator<string> GetEnumerator() => ListTexts(user, field).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    static IEnumerable<string> ListTexts(LampUser user, string field) =>
        user.History.Select(item => item.Fields.GetValueOrDefault(field, "")).Where(text => text.Length > 0);
}
