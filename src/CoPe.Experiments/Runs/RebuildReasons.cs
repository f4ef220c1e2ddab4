using CoPe.Experiments.Settings;

namespace CoPe.Experiments.Runs;

/// <summary>Says in one line why stages are out of date, and how much work that is.</summary>
static class RebuildReasons
{
    /// <summary>Changes that a line names.</summary>
    const int MaxNamed = 4;

    /// <summary><c>model was scribe-6m, is cope-tiny: 11 stages are rebuilt, 34 minutes of work</c>.</summary>
    public static string Describe(IReadOnlyList<StageStatus> stale, StageContext context) =>
        $"{DescribeCauses(stale, context)}: {Count(stale)} {(stale.Count == 1 ? "is" : "are")} rebuilt"
        + DescribeWork(stale);

    /// <summary>The same of work that is not thrown away without asking.</summary>
    public static string DescribeRefusal(IReadOnlyList<StageStatus> stale, StageContext context) =>
        $"{DescribeCauses(stale, context)}: {Count(stale)} of {context.Run.Name} would be rebuilt"
        + $"{DescribeWork(stale)}: name another folder with --run, or throw that work away with --restart "
        + "(in a stage's own verb --again)";

    /// <summary>What changed, each change once; not what merely follows from it.</summary>
    public static string DescribeCauses(IReadOnlyList<StageStatus> stale, StageContext context)
    {
        var changes = stale.SelectMany(status => status.Changes).ToList();
        var roots = changes.Where(change => !change.IsConsequence).DistinctBy(change => change.Known.Label).ToList();
        var models = roots.Where(change => change.Known.Kind == InputKinds.Model).ToList();
        List<string> causes =
        [
            .. models.Count > 0 ? [DescribeModel(models, context)] : (string[])[],
            .. roots.Except(models).Select(change => change.ToString()),
            .. stale.SelectMany(status => status.Reasons.Except(status.Changes.Select(change => change.ToString()))),
        ];
        if (causes.Count == 0)
        {
            causes = [.. changes.Select(change => change.ToString())];
        }

        causes = [.. causes.Distinct()];
        var named = string.Join("; ", causes.Take(MaxNamed));
        return causes.Count <= MaxNamed ? named : $"{named}; and {causes.Count - MaxNamed} more";
    }

    static string DescribeModel(List<InputChange> changes, StageContext context)
    {
        var (before, now) = (ReadModel(context.Run), context.Recipe.Model);
        if (before is null || before == now)
        {
            var files = string.Join(", ", changes.Select(change => change.Known.Name));
            return $"the model's files changed ({files})";
        }

        var (shortBefore, shortNow) = (GetName(before), GetName(now));
        return shortBefore == shortNow ? $"model was {before}, is {now}" : $"model was {shortBefore}, is {shortNow}";
    }

    static string GetName(string model) => Path.GetFileName(Path.TrimEndingDirectorySeparator(model));

    /// <summary>The model of the recipe that the run was made with; null where that cannot be read.</summary>
    static string? ReadModel(RunDirectory run)
    {
        try
        {
            return File.Exists(run.Recipe) ? RunRecipe.ReadModel(run) : null;
        }
        catch (Exception error) when (error is SettingsException or RunException)
        {
            return null; // The recipe of another version; the line names the files instead.
        }
    }

    static string Count(IReadOnlyList<StageStatus> stages) => stages.Count == 1 ? "1 stage" : $"{stages.Count} stages";

    static string DescribeWork(IReadOnlyList<StageStatus> stale)
    {
        if (stale.Any(status => status.IsTimeUnknown))
        {
            return ", an unknown amount of work";
        }

        var work = TimeSpan.FromSeconds(stale.Sum(status => status.TimeSpent.TotalSeconds));
        return work.TotalSeconds < 1 ? "" : $", {FormatWork(work)} of work";
    }

    static FormattableString Write(double number, string unit) => $"{number} {unit}{(number == 1 ? "" : "s")}";

    static string FormatWork(TimeSpan work)
    {
        var text = work switch
        {
            { TotalSeconds: < 100 } => Write(Math.Round(work.TotalSeconds), "second"),
            { TotalMinutes: < 100 } => Write(Math.Round(work.TotalMinutes), "minute"),
            _ => Write(Math.Round(work.TotalHours, 1), "hour"),
        };
        return FormattableString.Invariant(text);
    }
}
