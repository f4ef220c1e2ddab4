using CoPe.Cli.Display;
using CoPe.Cli.Hosting;
using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Settings;
using CoPe.Experiments.Tasks;

namespace CoPe.Cli.Sessions;

/// <summary>Reads what a run was made of, where it stands and what it came to.</summary>
static class RunSummaryReader
{
    /// <summary>Reads a run; one that is damaged is described as well as it can be.</summary>
    public static RunSummary Read(CommandHost host, RunDirectory run)
    {
        var children = run.ChildRuns().Select(child => Read(host, child)).ToList();
        if (!File.Exists(run.Recipe))
        {
            return Combine(run, children);
        }

        try
        {
            return ReadOwn(host, run, children);
        }
        catch (Exception error)
            when (error
                    is SettingsException
                        or RunException
                        or DataFileException
                        or InvalidDataException
                        or IOException
                        or UnauthorizedAccessException
            )
        {
            return new()
            {
                Run = run.Name,
                State = $"unreadable: {Failure.Describe(error)}",
                Runs = children,
            };
        }
    }

    static RunSummary ReadOwn(CommandHost host, RunDirectory run, List<RunSummary> children)
    {
        var resolved = ResolvedRun.Read(host, new() { Run = run.Name });
        var inputs = resolved.FindAvailableInputs();
        using var workspace = new RunWorkspace(resolved.Recipe, run, inputs);
        var stages = host.Pipeline.GetStatus(new() { Workspace = workspace, Time = host.Time });
        var isFolder = children.Count > 0 && stages.All(stage => stage.State == StageState.Missing);
        var summary = isFolder
            ? Combine(run, children)
            : new()
            {
                Run = run.Name,
                State = DescribeState(run, stages),
                Time = stages.Aggregate(TimeSpan.Zero, (sum, stage) => sum + stage.TimeSpent),
                Runs = children,
                Users = CountUsers(run),
            };
        return summary with
        {
            Task = resolved.Recipe.Task,
            Model = resolved.Recipe.Model,
            Data = DescribeData(run, resolved.Recipe),
            Best = FindBest(run, inputs) ?? summary.Best,
        };
    }

    /// <summary>A folder of runs: as complete as they are, and as good as the best of them.</summary>
    static RunSummary Combine(RunDirectory run, List<RunSummary> children)
    {
        var complete = children.Count(child => child.State == Complete);
        var first = children[0];
        var best = children.Select(child => child.Best).OfType<BestFigure>();
        return new()
        {
            Run = run.Name,
            Task = first.Task,
            Model = children.All(child => child.Model == first.Model) ? first.Model : null,
            Data = children.All(child => child.Data == first.Data) ? first.Data : null,
            Users = children.Max(child => child.Users),
            State = complete == children.Count ? Complete : $"{complete} of {children.Count} runs",
            Time = children.Aggregate(TimeSpan.Zero, (sum, child) => sum + child.Time),
            Best = best.OrderBy(figure => figure.LowerIsBetter ? figure.Mean : -figure.Mean).FirstOrDefault(),
            Runs = children,
        };
    }

    const string Complete = "complete";

    static string DescribeState(RunDirectory run, IReadOnlyList<StageStatus> stages)
    {
        if (RunLock.IsHeld(run))
        {
            return "at work";
        }

        if (File.Exists(run.PendingErasure))
        {
            return "erasure interrupted";
        }

        if (RunReplacement.IsPending(run))
        {
            return "rebuild interrupted";
        }

        var complete = stages.Count(stage => stage.State == StageState.Complete);
        if (complete == stages.Count)
        {
            return Complete;
        }

        if (stages.Any(stage => stage.State == StageState.Stale))
        {
            return "out of date";
        }

        return stages.Any(stage => stage.State == StageState.UsersChanged)
            ? "users changed"
            : $"{complete} of {stages.Count} stages";
    }

    static string DescribeData(RunDirectory run, Recipe recipe) =>
        RealPath.IsWithin(recipe.Data, run.Root)
            ? "./" + Path.GetRelativePath(RealPath.Resolve(run.Root), RealPath.Resolve(recipe.Data)).Replace('\\', '/')
            : recipe.Data;

    static int? CountUsers(RunDirectory run)
    {
        var folders = ((string[])[run.DpoAdapters, run.SftAdapters]).Where(Directory.Exists);
        var trained = folders
            .SelectMany(Directory.EnumerateDirectories)
            .Select(folder => Path.GetFileName(folder))
            .Where(name => !name.StartsWith('.'))
            .Distinct()
            .Count();
        if (trained > 0)
        {
            return trained;
        }

        return File.Exists(run.Scores) ? File.ReadLines(run.Scores).Count() : null;
    }

    static BestFigure? FindBest(RunDirectory run, InputPaths inputs)
    {
        var file = ((string[])[run.SeedResults, run.Results]).FirstOrDefault(File.Exists);
        if (file is null || inputs.Missing.HasFlag(InputKinds.Task))
        {
            return null;
        }

        var metric = Metric.HeadlineFor(TaskFile.Read(inputs.TaskPath).Task.Outcome);
        var lowerIsBetter = metric.Direction == MetricDirection.Lower;
        return ResultsFile
            .ReadJson(file)
            .Cells.Where(cell => cell.Metric == metric.Name && double.IsFinite(cell.Mean))
            .OrderBy(cell => lowerIsBetter ? cell.Mean : -cell.Mean)
            .Select(cell => new BestFigure(metric.Name, cell.Method, cell.Mean, cell.StandardError, lowerIsBetter))
            .FirstOrDefault();
    }
}
