using System.Text.Json.Serialization;
using CoPe.Experiments.Negatives;
using Microsoft.Extensions.Logging;

namespace CoPe.Experiments.Runs.Stages;

/// <summary>
/// Candidates that lie in a run, and where they come from. Those of an endpoint are paid for: unless the person says so
/// they are not thrown away, and those of one source are never mixed with another's.
/// </summary>
/// <param name="context">The stage at work.</param>
/// <param name="stage">The stage that makes them.</param>
sealed class StoredCandidates(StageContext context, Stage stage)
{
    const string UnknownSource = "--endpoint URL --endpoint-model NAME";

    readonly string? _requestedSource = context.CandidateEndpoint?.Name;

    /// <summary>What an endpoint has answered of a sampling that is not whole yet.</summary>
    public string PartialFile { get; } = Path.Combine(context.Run.Checkpoints(stage.Id), "candidates.jsonl");

    string RebuildCommand =>
        $"'{stage.Id.Command} --run {context.Run.Name} {(_requestedSource is null ? "" : _requestedSource + " ")}--again'";

    /// <summary>Why the sampling must not begin, go on or be skipped; null where it may.</summary>
    public string? FindConflict(StageStatus status) =>
        status.State switch
        {
            StageState.Interrupted => FindInterruptedConflict(),
            StageState.Complete => FindCompleteConflict(),
            StageState.Stale => FindStaleConflict(status.Reasons),
            _ => null,
        };

    /// <summary>Throws away what an interrupted sampling has from another source, where the person said so.</summary>
    /// <exception cref="RunException">He did not.</exception>
    public void ResolveConflict()
    {
        if (FindInterruptedConflict() is not { } objection)
        {
            return;
        }

        if (!context.AllowCostlyRebuild)
        {
            throw new RunException(objection);
        }

        context.Log.LogWarning(
            "{Stage}: what an interrupted sampling has from another source is thrown away",
            stage.Name
        );
        AtomicFile.Remove(context.Run.Checkpoints(stage.Id));
    }

    string? FindInterruptedConflict()
    {
        var kept = JsonLines.Read<ItemCandidates>(PartialFile);
        if (kept.Count == 0)
        {
            return _requestedSource is null || !File.Exists(ChunkedWork<ItemCandidates>.GetFile(context, stage.Id))
                ? null
                : $"'{stage.Name}' was interrupted in {context.Run.Name} with candidates that were sampled here: go on with '{stage.Id.Command} --run {context.Run.Name}', or throw them away with {RebuildCommand}";
        }
        // A line without a source is of an endpoint that a former version did not note: its way on is any endpoint.
        if (_requestedSource is not null && kept.All(line => (line.Source ?? _requestedSource) == _requestedSource))
        {
            return null;
        }

        var source = GetSource(kept);
        return $"'{stage.Name}' was interrupted in {context.Run.Name} with the candidates of {kept.Count} history items from {source}: go on with '{stage.Id.Command} --run {context.Run.Name} {source}', or throw them away with {RebuildCommand}";
    }

    string? FindCompleteConflict()
    {
        if (
            _requestedSource is null
            || JsonLines.Read<ItemCandidates>(context.Run.Candidates) is not [var first, ..]
            || first.Source == _requestedSource
        )
        {
            return null;
        }

        return $"'{stage.Name}' is complete in {context.Run.Name} with candidates {(first.Source is null ? "that were not drawn there" : $"from {first.Source}")}: leave {_requestedSource} out to keep them, or draw them anew with {RebuildCommand}";
    }

    string? FindStaleConflict(IReadOnlyList<string> reasons)
    {
        List<ItemCandidates> paid =
        [
            .. JsonLines.Read<ItemCandidates>(PartialFile),
            .. JsonLines.Read<ItemCandidates>(context.Run.Candidates).Where(line => line.Source is not null),
        ];
        return paid.Count == 0
            ? null
            : $"'{stage.Name}' has the candidates of {paid.Count} history items from {GetSource(paid)} in {context.Run.Name} and would be rebuilt ({string.Join("; ", reasons)}): "
                + "name another folder with --run, or throw them away with --restart (in the stage's own verb --again)";
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
}
