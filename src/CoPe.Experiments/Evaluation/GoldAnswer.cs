using CoPe.Experiments.Data;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Evaluation;

/// <summary>What a prediction is held against: the user's real answer, and his own texts.</summary>
public sealed record GoldAnswer
{
    /// <summary>The query.</summary>
    public required string Id { get; init; }

    /// <summary>The user's own answer.</summary>
    public required string Text { get; init; }

    /// <summary>The user; null where only a label file is known.</summary>
    public string? UserId { get; init; }

    /// <summary>
    /// The texts of his history (the task's output field), one list shared by all his queries; empty where not known.
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
            var history = user
                .History.Select(item => item.Fields.GetValueOrDefault(task.OutputField, ""))
                .Where(text => text.Length > 0)
                .ToList();
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

/// <summary>A prediction beside its gold.</summary>
/// <param name="Gold">What it is held against.</param>
/// <param name="Output">What the method wrote.</param>
/// <param name="History">The user's own texts; null where he has none.</param>
sealed record ScoredAnswer(GoldAnswer Gold, string Output, Lazy<HistoryStatistics>? History);

/// <summary>What is counted once in a user's history, for all his predictions.</summary>
sealed class HistoryStatistics(IReadOnlyList<string> history)
{
    /// <summary>His manner.</summary>
    public StyleProfile Style { get; } = StyleProfile.Compute(history);

    /// <summary>The four-word stretches of his texts.</summary>
    public HashSet<ulong> FourGrams { get; } = TextMetrics.FourGrams(history);
}
