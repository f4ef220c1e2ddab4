using CoPe.Experiments.Data;
using CoPe.Experiments.Data.Checking;
using Microsoft.Extensions.Logging;

namespace CoPe.Experiments.Runs;

/// <summary>
/// Reads the users of a run: those of the data, without the forgotten and with the added ones, as the recipe limits
/// them and their histories.
/// </summary>
/// <param name="workspace">The run.</param>
/// <param name="log">Takes how much was read.</param>
sealed class RunDatasetReader(RunWorkspace workspace, ILogger log)
{
    /// <summary>
    /// The users as the recipe limits them; with development items, these take the place of the queries.
    /// </summary>
    /// <exception cref="RunException">The run has forgotten every user, or none has enough history.</exception>
    public LampDataset Read()
    {
        var forgotten = workspace.Forgotten;
        var most = forgotten.RemainingLimit(workspace.Recipe.Users);
        var options = new LampReadOptions
        {
            MaxUsers = most > 0 ? most : null,
            ExcludeUser = forgotten.Users.Count > 0 ? forgotten.Contains : null,
            HistoryCap = workspace.Recipe.DevelopmentItems > 0 ? null : workspace.Recipe.HistoryLimit,
            PacksTexts = true,
            // Where nobody trains the task-adaptive model there may be no others.
            MaxOthers = workspace.Recipe.UsesBaseAsTam && !workspace.Recipe.GetRequirements().TamAll ? 0 : null,
        };
        if (CheckedDatasetWriter.FindLeft(workspace.Inputs.Data) is { } left)
        {
            log.LogWarning("{Left}", left);
        }

        var dataset = LampFiles.Read(workspace.Inputs.Data, workspace.Task, options);
        var users = most == 0 ? [] : dataset.Users;
        dataset = dataset with
        {
            Users = CapHistories(AddedUsers.Merge(users, workspace.Run, workspace.Task, options.ExcludeUser), options),
        };
        if (dataset.Users.Count == 0)
        {
            throw new RunException(
                $"{workspace.Run.Name} has forgotten every user of {workspace.Inputs.Data}: "
                    + "start a new run in another folder"
            );
        }

        if (workspace.Recipe.DevelopmentItems > 0)
        {
            // The histories are cut after the development queries were taken, so that these are the same whatever the
            // limit.
            dataset = LimitHistories(SplitDevelopment(dataset), workspace.Recipe.HistoryLimit);
        }

        dataset = dataset with { Users = [.. dataset.Users.Select(PackedUser.Pack)] };
        log.LogInformation(
            "{Task}: users {Users}, history items {Items}, queries {Queries}; others {Others}, queries {OtherQueries}",
            workspace.Task.Name,
            dataset.Users.Count,
            dataset.Users.Sum(user => user.History.Count),
            dataset.Users.Sum(user => user.Queries.Count),
            dataset.Others.Count,
            dataset.Others.Sum(user => user.Queries.Count)
        );
        return dataset;
    }

    static IReadOnlyList<LampUser> CapHistories(IReadOnlyList<LampUser> users, LampReadOptions options) =>
        options.HistoryCap is { } most ? [.. users.Select(user => LimitHistory(user, most))] : users;

    /// <summary>The users who can be split, their latest items as queries.</summary>
    LampDataset SplitDevelopment(LampDataset dataset)
    {
        var options = new DevelopmentSplitOptions
        {
            QueriesPerUser = workspace.Recipe.DevelopmentItems,
            LargestFraction = 0.5,
        };
        var split = DevelopmentSplit.Create(dataset, workspace.Template, options);
        if (split.Users.Count > 0)
        {
            return split;
        }

        throw new RunException(
            $"none of the {dataset.Users.Count} users in {workspace.Inputs.Data} has two history items, and "
                + "development_items makes queries of the latest, so that nothing is left to learn from: "
                + "take users with longer histories (more of them with --users), or set development_items=0"
        );
    }

    static LampDataset LimitHistories(LampDataset dataset, int? latest)
    {
        if (latest is not { } most)
        {
            return dataset;
        }

        return dataset with
        {
            Users = [.. dataset.Users.Select(user => LimitHistory(user, most))],
        };
    }

    static LampUser LimitHistory(LampUser user, int most) =>
        user.History.Count <= most ? user : user with { History = [.. user.History.TakeLast(most)] };
}
