using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Evaluation;

/// <summary>Golds beside predictions of the same id, and the ids that stand alone on either side.</summary>
sealed record MatchedAnswers(
    IReadOnlyList<(GoldAnswer Gold, string Output)> Pairs,
    IReadOnlyList<string> MissingIds,
    IReadOnlyList<string> UnknownIds,
    IReadOnlyList<string> Warnings
)
{
    public static MatchedAnswers Match(
        LampTask task,
        string method,
        IReadOnlyList<GoldAnswer> golds,
        PredictionFile file,
        IdMismatch mismatch
    )
    {
        var outputs = file.Predictions.ToDictionary(
            prediction => prediction.Id,
            prediction => prediction.Output,
            StringComparer.Ordinal
        );
        var pairs = golds.Where(gold => outputs.ContainsKey(gold.Id)).Select(gold => (gold, outputs[gold.Id])).ToList();
        var missing = golds.Where(gold => !outputs.ContainsKey(gold.Id)).Select(gold => gold.Id).ToList();
        var ids = golds.Select(gold => gold.Id).ToHashSet(StringComparer.Ordinal);
        var unknown = file
            .Predictions.Where(prediction => !ids.Contains(prediction.Id))
            .Select(prediction => prediction.Id)
            .ToList();
        var complaints = DescribeMismatches(method, missing, unknown).ToList();
        if (complaints.Count > 0 && (mismatch == IdMismatch.Error || pairs.Count == 0))
        {
            throw new InvalidDataException(
                $"{string.Join(" ", complaints)} {(pairs.Count == 0 ? "No id matches: are these files of one task and split?"
                : $"{pairs.Count} id{(pairs.Count == 1 ? " matches" : "s match")}: score those alone with --partial ({nameof(EvaluationOptions.Mismatch)} = {nameof(IdMismatch.Report)}).")}"
            );
        }

        if (!task.MatchesName(file.Task))
        {
            complaints.Add(
                $"{method}: the predictions name the task '{file.Task}', the golds are of {task.Name} ({task.BenchmarkId})."
            );
        }

        return new(pairs, missing, unknown, complaints);
    }

    static IEnumerable<string> DescribeMismatches(string method, List<string> missing, List<string> unknown)
    {
        if (missing.Count > 0)
        {
            yield return $"{method}: {IdList.Format(missing, "gold")} without a prediction.";
        }

        if (unknown.Count > 0)
        {
            yield return $"{method}: {IdList.Format(unknown, "prediction")} without a gold.";
        }
    }
}

/// <summary>Ids in a message: the first twenty, then how many more.</summary>
static class IdList
{
    const int Shown = 20;

    public static string Format(IReadOnlyList<string> ids, string noun) =>
        $"{ids.Count} {noun}{(ids.Count == 1 ? "" : "s")} ({string.Join(", ", ids.Take(Shown))}{(ids.Count > Shown ? $" and {ids.Count - Shown} more" : "")})";
}
