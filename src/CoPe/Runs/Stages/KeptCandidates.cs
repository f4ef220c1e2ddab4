using Microsoft.Extensions.Logging;

namespace CoPe.Runs.Stages;

/// <summary>
/// Candidates that lie in a run, and where they come from. Those of an endpoint are paid for: unless the person says so they are not thrown away, and those of one source are never mixed with another's.
/// </summary>
/// <param name="context">The stage at work.</param>
/// <param name="stage">The stage that makes them.</param>
sealed class KeptCandidates(StageContext context, Stage stage)
{
    const string Unknown = "--endpoint URL --endpoint-model NAME";

    readonly string? wanted = context.CandidateEndpoint?.Name;

    /// <summary>What an endpoint has answered of a sampling that is not whole yet.</summary>
    public string Partial { get; } = Path.Combine(context.Run.Checkpoints(stage.Name), "candidates.jsonl");

    string Again => $"'{stage.Command} --run {context.Run.Name} {(wanted is null ? "" : wanted + " ")}--again'";

    /// <summary>Why the sampling must not begin, go on or be skipped; null where it may.</summary>
    public string? Objection(StageStatus status) => status.State switch
    {
        StageState.Interrupted => WhereInterrupted(),
        StageState.Complete => WhereComplete(),
        StageState.Stale => WhereStale(status.Reasons),
        _ => null,
    };

    /// <summary>Throws away what an interrupted sampling has from another source, where the person said so.</summary>
    /// <exception cref="RunException">He did not.</exception>
    public void Settle()
    {
        if (WhereInterrupted() is not { } objection) return;
        if (!context.Restarts) throw new RunException(objection);
        context.Log.LogWarning("{Stage}: what an interrupted sampling has from another source is thrown away", stage.Name);
        AtomicFile.Remove(context.Run.Checkpoints(stage.Name));
    }

    string? WhereInterrupted()
    {
        var kept = JsonLines.Read<ItemCandidates>(Partial);
        if (kept.Count == 0)
            return wanted is null || !File.Exists(Portions<ItemCandidates>.FileOf(context, stage.Name)) ? null
                : $"'{stage.Name}' was interrupted in {context.Run.Name} with candidates that were sampled here: go on with '{stage.Command} --run {context.Run.Name}', or throw them away with {Again}";
        // A line without a source is of an endpoint that a former version did not note: its way on is any endpoint.
        if (wanted is not null && kept.All(line => (line.Source ?? wanted) == wanted)) return null;
        var source = SourceOf(kept);
        return $"'{stage.Name}' was interrupted in {context.Run.Name} with the candidates of {kept.Count} history items from {source}: go on with '{stage.Command} --run {context.Run.Name} {source}', or throw them away with {Again}";
    }

    string? WhereComplete()
    {
        if (wanted is null || JsonLines.Read<ItemCandidates>(context.Run.Candidates) is not [var first, ..] || first.Source == wanted) return null;
        return $"'{stage.Name}' is complete in {context.Run.Name} with candidates {(first.Source is null ? "that were not drawn there" : $"from {first.Source}")}: leave {wanted} out to keep them, or draw them anew with {Again}";
    }

    string? WhereStale(IReadOnlyList<string> reasons)
    {
        List<ItemCandidates> paid = [.. JsonLines.Read<ItemCandidates>(Partial), .. JsonLines.Read<ItemCandidates>(context.Run.Candidates).Where(line => line.Source is not null)];
        return paid.Count == 0 ? null
            : $"'{stage.Name}' has the candidates of {paid.Count} history items from {SourceOf(paid)} in {context.Run.Name} and would be made anew ({string.Join("; ", reasons)}): "
                + "name another folder with --run, or throw them away with --restart (in the stage's own verb --again)";
    }

    static string SourceOf(IEnumerable<ItemCandidates> lines) => lines.Select(line => line.Source).OfType<string>().FirstOrDefault() ?? Unknown;
}
