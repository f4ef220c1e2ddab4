namespace CoPe.Experiments.Runs;

/// <summary>Something in a run that is derived from a user.</summary>
/// <param name="Path">File or folder; within the run where it is listed.</param>
/// <param name="Description">What it is.</param>
/// <param name="Count">How many lines, entries or files are the user's.</param>
public sealed record UserTrace(string Path, string Description, int Count);

/// <summary>Finds the users whom the files of a run name, without the data.</summary>
static class UserRecords
{
    /// <summary>Users named in lines of the run, with the query where a line is about one.</summary>
    public static IEnumerable<(string User, string? Query)> FindNamedUsers(RunDirectory run)
    {
        foreach (var line in FindLineFiles(run).SelectMany(File.ReadLines))
        {
            var entry = RecordedLine.Parse(line);
            foreach (var user in entry?.GetTexts("user") ?? [])
            {
                yield return (user, entry!.GetTexts("query").FirstOrDefault());
            }
        }
    }

    /// <summary>The files of JSON lines that stages write.</summary>
    static IEnumerable<string> FindLineFiles(RunDirectory run)
    {
        var metrics = Path.GetDirectoryName(run.Metrics(StageId.TrainTam))!;
        return new[] { run.Profiles, run.Candidates, run.Pairs, run.Scores, run.Likelihood }
            .Concat(Directory.Exists(metrics) ? Directory.EnumerateFiles(metrics, "*.jsonl") : [])
            .Where(FileKinds.IsReadable)
            .Order(StringComparer.Ordinal);
    }
}
