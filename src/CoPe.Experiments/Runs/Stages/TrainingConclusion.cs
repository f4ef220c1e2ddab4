using System.Globalization;
using CoPe.Experiments.Report;
using CoPe.Training;
using Microsoft.Extensions.Logging;

namespace CoPe.Experiments.Runs.Stages;

/// <summary>Says at the end of a training what it did, and stops a run whose training came to nothing.</summary>
static class TrainingConclusion
{
    const int MaxNamed = 5;

    /// <summary>
    /// Logs the line of a training, and a warning that names the users who diverged or whose loss did not fall.
    /// </summary>
    /// <param name="log">Where it goes.</param>
    /// <param name="stage">The stage.</param>
    /// <param name="rateKey">Key of the learning rate, for messages.</param>
    /// <param name="rate">The learning rate.</param>
    /// <param name="users">What the training did to each of its users.</param>
    /// <param name="isEveryone">Whether these are all the users of the run.</param>
    /// <exception cref="RunException">It diverged for every user of the run.</exception>
    public static void Report(
        ILogger log,
        StageId stage,
        string rateKey,
        double rate,
        IReadOnlyList<TrainingSummary> users,
        bool isEveryone = true
    )
    {
        var remedy = string.Create(CultureInfo.InvariantCulture, $"lower {rateKey} (it is {rate})");
        var diverged = users.Where(user => user.HasDiverged).ToList();
        if (isEveryone && users.Count > 0 && diverged.Count == users.Count)
        {
            var who = users.Count == 1 ? "the training" : $"the training of all {users.Count} users";
            throw new RunException($"{stage.Name}: {who} diverged; {remedy} and run it again");
        }
        if (diverged.Count > 0)
        {
            log.LogWarning(
                "{Stage}: {Count} of {Users} users diverged and keep the adapter of their lowest loss ({Names}); "
                    + "{Remedy}",
                stage.Name,
                diverged.Count,
                users.Count,
                JoinNames([.. diverged.Select(user => user.User)]),
                remedy
            );
        }
        if (Describe(stage, users) is { } line)
        {
            log.LogInformation("{Line}", line);
        }
        if (ComputeMeanLoss(users) is { } loss && loss.After > loss.Before + 0.01 * Math.Max(1, loss.Before))
        {
            log.LogWarning("{Stage}: the loss is higher after training than before; {Remedy}", stage.Name, remedy);
        }
        if (TrainingSummary.ComputeEffect(users) is { IsDisplaced: true, Chosen: { } chosen })
        {
            log.LogWarning(
                "{Stage}: the users' own texts became less likely, {Fall} nats on average (likelihood displacement); "
                    + "set dpo.rpo_alpha, or {Remedy}",
                stage.Name,
                NumberFormat.Value(chosen.Before - chosen.After),
                remedy
            );
        }
    }

    /// <summary>Logs that trainings of a single step have no warm-up.</summary>
    /// <param name="log">Where it goes.</param>
    /// <param name="stage">The stage.</param>
    /// <param name="training">The options.</param>
    /// <param name="examples">Examples of each user.</param>
    public static void ReportSingleSteps(
        ILogger log,
        StageId stage,
        TrainingOptions training,
        IReadOnlyDictionary<string, int> examples
    )
    {
        var single = examples.Where(user => training.Steps(user.Value) == 1).Select(user => user.Key).ToList();
        if (single.Count > 0 && training.WarmupRatio > 0)
        {
            log.LogInformation(
                "{Stage}: a single step has no warm-up, in which its rate would be 0: {Count} of {Users} users "
                    + "({Names})",
                stage.Name,
                single.Count,
                examples.Count,
                JoinNames(single)
            );
        }
    }

    /// <summary>What a training did, in one line; null where nothing is known of it.</summary>
    public static string? Describe(StageId stage, IReadOnlyList<TrainingSummary> users)
    {
        if (TrainingSummary.ComputeEffect(users) is { } effect)
        {
            return string.Create(
                CultureInfo.InvariantCulture,
                $"{stage.Name}: adapters moved {NumberFormat.SmallShare(effect.Movement)}, pairs right "
                    + $"{effect.RankedBefore:#,0} -> {effect.RankedAfter:#,0} of {effect.Pairs:#,0}"
            );
        }
        if (ComputeMeanLoss(users) is not { } loss)
        {
            return null;
        }
        var count = users.Count == 1 ? "" : string.Create(CultureInfo.InvariantCulture, $"{users.Count:#,0} users, ");
        var tokens = users.Sum(user => user.TokenCount);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{stage.Name}: {count}loss {loss.Before:0.000} -> {loss.After:0.000}, {tokens:#,0} tokens"
        );
    }

    static BeforeAndAfter? ComputeMeanLoss(IReadOnlyList<TrainingSummary> users)
    {
        var measured = users.Select(user => user.Loss).OfType<BeforeAndAfter>().ToList();
        return measured.Count == 0
            ? null
            : new(measured.Average(loss => loss.Before), measured.Average(loss => loss.After));
    }

    static string JoinNames(List<string> names) =>
        string.Join(", ", names.Take(MaxNamed)) + (names.Count > MaxNamed ? ", ..." : "");
}
