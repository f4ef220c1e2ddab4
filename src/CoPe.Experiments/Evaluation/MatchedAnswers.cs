using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Evaluation;

/// <summary>Golds beside predictions of the same id, and the ids that only one side has.</summary>
sealed record MatchedAnswers(
    IReadOnlyList<(GoldAnswer Gold, string Prediction)> Pairs,
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
        var mismatches = DescribeMismatches(method, missing, unknown).ToList();
        if (mismatches.Count > 0 && (mismatch == IdMismatch.Error || pairs.Count == 0))
        {
            throw new InvalidDataException(
                MessageText.ToOneLine($"{string.Join(" ", mismatches)} {Advise(pairs.Count)}")
            );
        }

        if (file.Task is { } named && !task.MatchesName(named))
        {
            mismatches.Add(
                $"{method}: the predictions name the task '{named}', "
                    + $"the golds are of {task.Name} ({task.BenchmarkId})."
            );
        }

        return new(pairs, missing, unknown, mismatches);
    }

    static string Advise(int matching)
    {
        if (matching == 0)
        {
            return "No id matches: are these files of one task and split?";
        }

        var found = matching == 1 ? "1 id matches" : $"{matching} ids match";
        return $"{found}: score those alone with --partial.";
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
    const int MaxShown = 20;
    const int MaxIdLength = 60;

    public static string Format(IReadOnlyList<string> ids, string noun)
    {
        var plural = ids.Count == 1 ? "" : "s";
        var shown = string.Join(", ", ids.Take(MaxShown).Select(Show));
        var more = ids.Count > MaxShown ? $" and {ids.Count - MaxShown} more" : "";
        return $"{ids.Count} {noun}{plural} ({shown}{more})";
    }

    /// <summary>An id as anybody may have written it, fit for a message.</summary>
    static string Show(string id) => MessageText.Shorten(MessageText.ToOneLine(id), MaxIdLength);
}
