using CoPe.Chat;
using CoPe.Experiments.Negatives;
using Microsoft.Extensions.Logging;

namespace CoPe.Experiments.Runs.Stages;

/// <summary>
/// Candidates and selections of the reference's files in the place of those that a run samples and selects itself.
/// </summary>
/// <param name="context">The running stage.</param>
/// <param name="imported">The file.</param>
sealed class NegativesImport(StageContext context, ImportedNegatives imported)
{
    readonly ExampleEncoder _encoder = new(context.Workspace, context.Recipe.Sft);

    /// <summary>Checks that the file is of the run's items, and that the run takes such negatives.</summary>
    /// <exception cref="RunException">It is not, or does not.</exception>
    public void Check(IReadOnlyList<UserItem> items)
    {
        if (context.Recipe.Negatives.Kind != NegativeKind.Pseudo)
        {
            throw new RunException(
                $"{imported.File} has pseudo-negatives, and negatives.kind of {context.Run.Name} is "
                    + $"{context.Recipe.Negatives.Kind.ToString().ToLowerInvariant()}: add --set negatives.kind=pseudo"
            );
        }

        if (!items.Any(pair => Find(pair) is not null))
        {
            var (user, item) = imported.Items.Keys.First();
            throw new RunException(
                $"{imported.File} has none of the {items.Count} history items of {context.Run.Name}: it begins with "
                    + $"item {item} of user {user}, the run with item {items[0].Item.Id} of user {items[0].User.Id}; "
                    + "take the file that was made from the run's data"
            );
        }
    }

    /// <summary>The usable candidates of each item, in the order of the items.</summary>
    public IReadOnlyList<ItemCandidates> TakeCandidates(IReadOnlyList<UserItem> items)
    {
        var lines = items.Select(TakeCandidates).ToList();
        var given = items.Sum(pair => Find(pair)?.Candidates.Count ?? 0);
        context.Log.LogInformation(
            "{Stage}: {Taken} candidates of {Items} history items from {File}; {Dropped} left out, which are empty, "
                + "twice, or the user's own text",
            StageId.SampleNegatives,
            lines.Sum(line => line.Candidates.Count),
            lines.Count(line => line.Candidates.Count > 0),
            imported.File,
            given - lines.Sum(line => line.Candidates.Count)
        );
        return lines;
    }

    /// <summary>The file's own selection for the items that have candidates.</summary>
    public IReadOnlyList<SelectedPair> TakePairs(IEnumerable<UserItem> items)
    {
        var pairs = items.Select(TakePair).OfType<SelectedPair>().ToList();
        context.Log.LogInformation(
            "{Stage}: {Pairs} rejected answers from {File}",
            StageId.SelectNegatives,
            pairs.Count,
            imported.File
        );
        return pairs;
    }

    ItemCandidates TakeCandidates(UserItem pair)
    {
        var texts = Find(pair)?.Candidates.Select(GetAnswer) ?? [];
        return new()
        {
            User = pair.User.Id,
            Item = pair.Item.Id,
            Candidates = [.. texts.Where(text => IsUsable(text, pair)).Distinct()],
            Source = imported.Source,
        };
    }

    SelectedPair? TakePair(UserItem pair)
    {
        if (Find(pair) is not { Rejected: { } rejected } item || !IsUsable(GetAnswer(rejected), pair))
        {
            return null;
        }

        var place = item.Candidates.ToList().IndexOf(rejected);
        return new()
        {
            User = pair.User.Id,
            Item = pair.Item.Id,
            Rejected = GetAnswer(rejected),
            RejectedReward = place >= 0 && item.Rewards.Count > 0 ? item.Rewards[place] : null,
            Rewards = item.Rewards,
        };
    }

    /// <summary>A candidate without what its model reasoned before it; whose prompt that was, no file says.</summary>
    string GetAnswer(string text) =>
        context.Workspace.Encoder.Reasoning.Parse(text, ReasoningStart.Unknown).Answer.Trim();

    ImportedItem? Find(UserItem pair) => imported.Items.GetValueOrDefault((pair.User.Id, pair.Item.Id));

    /// <summary>Not empty, and not the user's own text, neither whole nor as the run cuts it.</summary>
    bool IsUsable(string text, UserItem pair)
    {
        var whole = pair.Item.Fields.GetValueOrDefault(context.Workspace.Task.OutputField, "");
        return new[] { whole, _encoder.GetAnswerText(pair.Item) }.All(own =>
            new CandidateItem(pair.User.Id, pair.Item.Id, [], own).Accepts(text)
        );
    }
}
