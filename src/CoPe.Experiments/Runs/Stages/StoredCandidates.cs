using System.Text.Json.Serialization;
using CoPe.Experiments.Negatives;
using Microsoft.Extensions.Logging;

namespace CoPe.Experiments.Runs.Stages;

/// <summary>
/// The candidates stored in a run, and where they come from. Those of an endpoint are paid for: they are only discarded
/// where the person says so, and those of one source are never mixed with another's.
/// </summary>
/// <param name="context">The running stage.</param>
/// <param name="stage">The stage that makes them.</param>
sealed class StoredCandidates(StageContext context, StageId stage)
{
    const string UnknownSource = "--endpoint URL --endpoint-model NAME";

    readonly string _run = context.Run.Name;
    readonly string? _requestedSource = context.CandidateEndpoint?.Name ?? context.ImportedNegatives?.Source;

    /// <summary>What an endpoint has answered of a sampling that is not complete yet.</summary>
    public string PartialFile { get; } = GetPartialFile(context.Run, stage);

    /// <summary>Where answers of an endpoint are kept until the sampling is complete.</summary>
    public static string GetPartialFile(RunDirectory run, StageId stage) =>
        Path.Combine(run.Checkpoints(stage), "candidates.jsonl");

    string ResumeCommand => $"{stage.Command} --run {_run}";

    string RebuildCommand =>
        _requestedSource is null ? $"'{ResumeCommand} --again'" : $"'{ResumeCommand} {_requestedSource} --again'";

    /// <summary>Why the sampling must not begin, resume or be skipped; null where it may.</summary>
    public string? FindConflict(StageStatus status) =>
        status.State switch
        {
            StageState.Interrupted => FindInterruptedConflict(),
            StageState.Complete => FindCompleteConflict(),
            StageState.UsersChanged => FindUsersConflict(status.Users),
            StageState.Stale => FindStaleConflict(status.Reasons),
            _ => null,
        };

    /// <summary>Discards what an interrupted sampling has from another source, where the person said so.</summary>
    /// <exception cref="RunException">They did not.</exception>
    public void ResolveConflict()
    {
        if (FindInterruptedConflict() is not { } conflict)
        {
            return;
        }

        if (!context.AllowCostlyRebuild)
        {
            throw new RunException(conflict);
        }

        context.Log.LogWarning("{Stage}: what an interrupted sampling has from another source is thrown away", stage);
        AtomicFile.Remove(context.Run.Checkpoints(stage));
    }

    string? FindInterruptedConflict()
    {
        var stored = JsonLines.Read<ItemCandidates>(PartialFile);
        if (stored.Count == 0)
        {
            return FindLocalConflict();
        }

        if (_requestedSource is not null && stored.All(line => line.Source == _requestedSource))
        {
            return null;
        }

        var source = GetSource(stored);
        return $"'{stage}' was interrupted in {_run} with the candidates of {stored.Count} history items "
            + $"from {source}: resume it with '{ResumeCommand} {source}', or throw them away with {RebuildCommand}";
    }

    /// <summary>Candidates that were sampled here are not continued at an endpoint.</summary>
    string? FindLocalConflict()
    {
        var hasLocal = File.Exists(ChunkedWork<ItemCandidates>.GetFile(context, stage));
        if (_requestedSource is null || !hasLocal)
        {
            return null;
        }

        return $"'{stage}' was interrupted in {_run} with candidates that were sampled here: "
            + $"resume it with '{ResumeCommand}', or throw them away with {RebuildCommand}";
    }

    string? FindCompleteConflict()
    {
        if (_requestedSource is null || JsonLines.Read<ItemCandidates>(context.Run.Candidates) is not [var first, ..])
        {
            return null;
        }

        if (first.Source == _requestedSource)
        {
            return null;
        }

        if (context.ImportedNegatives is not null)
        {
            return null; // Other inputs: the ledger finds them stale.
        }

        var origin = first.Source is null ? "that were not sampled there" : $"from {first.Source}";
        return $"'{stage}' is complete in {_run} with candidates {origin}: leave {_requestedSource} out to keep them, "
            + $"or sample new ones with {RebuildCommand}";
    }

    /// <summary>
    /// The users who are new get candidates from where those of the others are; paid ones of a user who changed or is
    /// gone are only thrown away where the person says so.
    /// </summary>
    string? FindUsersConflict(UserChanges users)
    {
        if (JsonLines.Read<ItemCandidates>(context.Run.Candidates) is not [var first, ..] stored)
        {
            return null;
        }

        if (first.Source != _requestedSource && users.DueCount > 0)
        {
            var origin = first.Source is null ? "that were sampled here" : $"from {first.Source}";
            var command = first.Source is null ? ResumeCommand : $"{ResumeCommand} {first.Source}";
            return $"'{stage}' has candidates {origin} in {_run} and {users}: sample theirs with '{command}' first";
        }

        var leaving = users.Changed.Concat(users.Gone).ToHashSet();
        var paid = stored.Count(line => line.Source is not null && leaving.Contains(line.User));
        return paid == 0
            ? null
            : $"'{stage}' would throw away the candidates of {paid} history items from {first.Source} in {_run} "
                + $"({users}): name another folder with --run, "
                + "or throw them away with --restart (in the stage's own verb --again)";
    }

    string? FindStaleConflict(IReadOnlyList<string> reasons)
    {
        List<ItemCandidates> paid =
        [
            .. JsonLines.Read<ItemCandidates>(PartialFile),
            .. JsonLines.Read<ItemCandidates>(context.Run.Candidates).Where(line => line.Source is not null),
        ];
        if (paid.Count == 0)
        {
            return null;
        }

        return $"'{stage}' has the candidates of {paid.Count} history items from {GetSource(paid)} in {_run} "
            + $"and would be rebuilt ({string.Join("; ", reasons)}): name another folder with --run, "
            + "or throw them away with --restart (in the stage's own verb --again)";
    }

    static string GetSource(IEnumerable<ItemCandidates> lines) =>
        lines.Select(line => line.Source).OfType<string>().FirstOrDefault() ?? UnknownSource;
}

/// <summary>
/// A line of <c>negatives/candidates.jsonl</c>: answers sampled from the task-adaptive model for one history item.
/// </summary>
sealed record ItemCandidates
{
    /// <summary>The user.</summary>
    public required string User { get; init; }

    /// <summary>The history item.</summary>
    public required string Item { get; init; }

    /// <summary>The answers, each non-empty, different from each other and from the user's own text.</summary>
    public required IReadOnlyList<string> Candidates { get; init; }

    /// <summary>
    /// The endpoint that answered (<see cref="CandidateEndpoint.Name"/>); null where the run's own model did, or other
    /// users' texts were borrowed.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Source { get; init; }

    /// <summary>The user who wrote the text, where it is another user's; null for answers of a model.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? BorrowedFrom { get; init; }
}
