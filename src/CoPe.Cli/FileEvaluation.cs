using CoPe.Cli.Display;
using CoPe.Experiments.Data;
using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Runs.Results;
using CoPe.Experiments.Tasks;
using Spectre.Console;

namespace CoPe.Cli;

/// <summary>
/// Scores prediction files against golds, without a run: files of the benchmark, of the reference's code, or of another
/// run; single ones or a zip of all tasks. Nothing is written into them.
/// </summary>
sealed record FileEvaluation
{
    /// <summary>Prediction files or zips, <c>METHOD=FILE</c> or a file whose name is the method's.</summary>
    public required IReadOnlyList<string> Predictions { get; init; }

    /// <summary>A label file, a zip of them, or a data folder, which also has the users and their histories.</summary>
    public required string Golds { get; init; }

    /// <summary>How it is scored.</summary>
    public required EvaluationOptions Options { get; init; }

    /// <summary>Scores every task that the predictions are of.</summary>
    public IReadOnlyList<(LampTask Task, EvaluationReport Report)> Score(CommandHost host)
    {
        var predictions = Predictions.SelectMany(named => ReadNamed(host, named)).ToList();
        return
        [
            .. predictions
                .GroupBy(one => FindTask(host, one))
                .Select(group => (group.Key, Score(host, group.Key, [.. group]))),
        ];
    }

    /// <summary>A table a task, and what did not match.</summary>
    public static void WriteTables(CommandHost host, IReadOnlyList<(LampTask Task, EvaluationReport Report)> scored)
    {
        var console = host.CreateTableConsole();
        foreach (var (task, report) in scored)
        {
            console.WriteLine();
            console.MarkupLineInterpolated(
                $"[bold]{task.Name}[/], mean ± standard error over {ResultsView.CountQueries(report.Methods.Max(scores => scores.Queries.Count))}"
            );
            console.Write(ResultsView.CreateTable(task, ResultsTable.Create(report)));
            SignificanceView.Write(console, CompareLastWithOthers(task, report), task);
        }

        foreach (var warning in scored.SelectMany(one => one.Report.Warnings))
        {
            host.Error.WriteLine($"cope: warning: {warning}");
        }
    }

    /// <summary>The last file of the table against each other one, in the metric that stands for the task.</summary>
    static IReadOnlyList<SignificanceLine> CompareLastWithOthers(LampTask task, EvaluationReport report)
    {
        var last = report.Methods[^1];
        var answered = last.Queries.Select(query => query.Id).ToHashSet(StringComparer.Ordinal);
        var others = report
            .Methods.SkipLast(1)
            .Where(baseline => baseline.Queries.Any(query => answered.Contains(query.Id)));
        return
        [
            .. others.Select(baseline =>
                SignificanceLine.FromTest(
                    PairedTest.Compare(last, baseline, Metric.HeadlineFor(task.Outcome), new() { Resamples = 1000 })
                )
            ),
        ];
    }

    /// <summary>Every figure as CSV.</summary>
    public static void WriteCsv(IReadOnlyList<(LampTask Task, EvaluationReport Report)> scored, string path) =>
        AtomicFile.WriteText(path, writer => ResultsCsv.Write(CreateTables(scored), writer));

    /// <summary>Task name to its results.</summary>
    public static IReadOnlyDictionary<string, ResultsTable> CreateTables(
        IReadOnlyList<(LampTask Task, EvaluationReport Report)> scored
    ) => scored.ToDictionary(one => one.Task.Name, one => ResultsTable.Create(one.Report));

    EvaluationReport Score(
        CommandHost host,
        LampTask task,
        IReadOnlyList<(string Method, PredictionFile File)> predictions
    )
    {
        var twice = predictions.GroupBy(one => one.Method).FirstOrDefault(group => group.Count() > 1);
        if (twice is not null)
        {
            throw new UsageException(
                $"two prediction files of {task.Name} are called '{twice.Key}': name them, for example --predictions a=FILE --predictions b=FILE"
            );
        }

        var files = predictions.ToDictionary(one => one.Method, one => one.File);
        var ordered = PredictionMethod
            .SortByTableOrder(files.Keys)
            .Select(method => KeyValuePair.Create(method, files[method]));
        return Evaluator.Evaluate(task, ReadGolds(host, task), new(ordered), Options, host.Cancellation);
    }

    /// <summary>The task a file names; where the name means two, the one whose labels the golds are.</summary>
    LampTask FindTask(CommandHost host, (string Method, PredictionFile File) one)
    {
        var tasks = LampTasks.All.Where(task => task.MatchesName(one.File.Task)).ToList();
        return tasks.Count switch
        {
            0 => throw new InvalidDataException(
                $"{one.Method}: found the task '{one.File.Task}', expected one of {string.Join(", ", LampTasks.All.Select(task => $"{task.BenchmarkId} ({task.Name})"))}"
            ),
            1 => tasks[0],
            _ => tasks.MaxBy(task =>
                LacksTask(host, task) ? 0 : ReadGolds(host, task).Count(gold => task.Labels.Contains(gold.Text.Trim()))
            )!,
        };
    }

    /// <summary>Whether the golds are a data folder without this task.</summary>
    bool LacksTask(CommandHost host, LampTask task)
    {
        var path = ResolvePath(host, Golds);
        return Directory.Exists(path) && LampFiles.FindTaskFolder(path, task.Name) is null;
    }

    IReadOnlyList<GoldAnswer> ReadGolds(CommandHost host, LampTask task)
    {
        var path = ResolvePath(host, Golds);
        if (Directory.Exists(path))
        {
            return GoldAnswer.FromDataset(
                LampFiles.Read(
                    path,
                    task,
                    new LampReadOptions
                    {
                        MaxOthers = 0,
                        RequireHistory = false,
                        OnUserSkipped = _ => { },
                    }
                )
            );
        }

        var files = ReadFiles(path);
        return GoldAnswer.FromLabels(
            files.FirstOrDefault(file => task.MatchesName(file.Task))
                ?? throw new InvalidDataException(
                    $"{Golds} has no golds of {task.Name} ({task.BenchmarkId}), only of {string.Join(", ", files.Select(file => file.Task))}"
                )
        );
    }

    static IEnumerable<(string Method, PredictionFile File)> ReadNamed(CommandHost host, string named)
    {
        var equals = named.IndexOf('=', StringComparison.Ordinal);
        var path = ResolvePath(host, named[(equals + 1)..]);
        var method = equals > 0 ? named[..equals] : Path.GetFileNameWithoutExtension(path);
        return ReadFiles(path).Select(file => (method, file));
    }

    static IReadOnlyList<PredictionFile> ReadFiles(string path) =>
        path.EndsWith(".zip", StringComparison.OrdinalIgnoreCase)
            ? PredictionArchive.Read(path)
            : [PredictionFile.Read(path)];

    static string ResolvePath(CommandHost host, string path)
    {
        var full = Path.Combine(host.SearchFolders[0], path);
        return Path.Exists(full)
            ? full
            : throw new UsageException($"{path} does not exist: name a file, or a zip of files");
    }
}
