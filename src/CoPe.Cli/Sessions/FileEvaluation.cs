using CoPe.Cli.Display;
using CoPe.Cli.Failures;
using CoPe.Cli.Hosting;
using CoPe.Experiments.Data;
using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Runs.Results;
using CoPe.Experiments.Tasks;
using Spectre.Console;

namespace CoPe.Cli.Sessions;

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
    public IReadOnlyList<TaskEvaluation> Score(CommandHost host) =>
        [
            .. Predictions
                .SelectMany(argument => ReadPredictions(host, argument))
                .GroupBy(predictions => FindTask(host, predictions))
                .Select(group => new TaskEvaluation(group.Key, Score(host, group.Key, [.. group]))),
        ];

    /// <summary>The full paths of all files that are read.</summary>
    public IEnumerable<string> ListInputs(CommandHost host) =>
        Predictions
            .Select(argument => SplitMethod(argument).Path)
            .Append(Golds)
            .Select(path => Path.GetFullPath(host.PathOf(path)));

    /// <summary>A table a task, and what did not match.</summary>
    public static void WriteTables(CommandHost host, IReadOnlyList<TaskEvaluation> evaluations)
    {
        var console = host.CreateTableConsole();
        foreach (var (task, report) in evaluations)
        {
            var queries = ResultsView.CountQueries(report.Methods.Max(scores => scores.Queries.Count));
            console.WriteLine();
            console.MarkupLineInterpolated($"[bold]{task.Name}[/], mean ± standard error over {queries}");
            console.WriteNumbers(ResultsView.CreateTable(task, ResultsTable.Create(report)));
            SignificanceView.Write(console, CompareLastWithOthers(task, report), task);
        }

        foreach (var warning in evaluations.SelectMany(evaluation => evaluation.Report.Warnings))
        {
            host.WriteMessage($"warning: {warning}");
        }
    }

    /// <summary>Tests the last file of the table against each other one, in the task's headline metric.</summary>
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
    public static void WriteCsv(IReadOnlyList<TaskEvaluation> evaluations, string path) =>
        AtomicFile.WriteText(path, writer => ResultsCsv.Write(CreateTables(evaluations), writer));

    /// <summary>The results of each task, by its name.</summary>
    public static IReadOnlyDictionary<string, ResultsTable> CreateTables(IReadOnlyList<TaskEvaluation> evaluations) =>
        evaluations.ToDictionary(
            evaluation => evaluation.Task.Name,
            evaluation => ResultsTable.Create(evaluation.Report)
        );

    EvaluationReport Score(CommandHost host, LampTask task, IReadOnlyList<MethodPredictions> predictions)
    {
        var duplicate = predictions.GroupBy(file => file.Method).FirstOrDefault(group => group.Count() > 1);
        if (duplicate is not null)
        {
            throw new UsageException(
                $"two prediction files of {task.Name} are called '{duplicate.Key}': "
                    + "name them, for example --predictions a=FILE --predictions b=FILE"
            );
        }

        var files = predictions.ToDictionary(file => file.Method, file => file.File);
        var ordered = PredictionMethod
            .SortByTableOrder(files.Keys)
            .Select(method => KeyValuePair.Create(method, files[method]));
        return Evaluator.Evaluate(task, ReadGolds(host, task), new(ordered), Options, host.Cancellation);
    }

    /// <summary>The task a file names; where the name means two, the one whose labels the golds are.</summary>
    LampTask FindTask(CommandHost host, MethodPredictions predictions)
    {
        if (predictions.File.Task is not { } name)
        {
            return FindTaskOfGolds(host, predictions.Method);
        }

        var tasks = LampTasks.All.Where(task => task.MatchesName(name)).ToList();
        if (tasks.Count == 0)
        {
            var known = string.Join(", ", LampTasks.All.Select(task => $"{task.BenchmarkId} ({task.Name})"));
            throw new InvalidDataException($"{predictions.Method}: found the task '{name}', expected one of {known}");
        }

        return tasks.Count == 1 ? tasks[0] : tasks.MaxBy(task => CountLabelGolds(host, task))!;
    }

    /// <summary>The one task of the golds, for predictions that name none.</summary>
    LampTask FindTaskOfGolds(CommandHost host, string method)
    {
        var path = ResolvePath(host, Golds);
        var labels = Path.Combine(path, LampFiles.LabelsFile);
        List<LampTask> tasks =
        [
            .. Directory.Exists(path) && !File.Exists(labels)
                ? LampTasks.All.Where(task => LampFiles.FindTaskFolder(path, task.Name) is not null)
                : ReadFiles(Directory.Exists(path) ? labels : path)
                    .Select(file =>
                        LampTasks.All.FirstOrDefault(task => file.Task is { } name && task.MatchesName(name))
                    )
                    .OfType<LampTask>(),
        ];
        if (tasks is [var only])
        {
            return only;
        }

        var found = tasks.Count == 0 ? "none" : string.Join(", ", tasks.Select(task => task.Name));
        throw new UsageException(
            $"{method} names no task, so --golds must be of one: found {found} in {Golds}; "
                + "name the label file or the folder of the task, "
                + "or write {\"task\": ..., \"golds\": [...]} around the answers"
        );
    }

    /// <summary>How many golds are labels of the task.</summary>
    int CountLabelGolds(CommandHost host, LampTask task) =>
        LacksTask(host, task) ? 0 : ReadGolds(host, task).Count(gold => task.Labels.Contains(gold.Text.Trim()));

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
        if (files.FirstOrDefault(file => file.Task is not { } name || task.MatchesName(name)) is { } labels)
        {
            return GoldAnswer.FromLabels(labels);
        }

        var found = string.Join(", ", files.Select(file => file.Task));
        throw new InvalidDataException($"{Golds} has no golds of {task.Name} ({task.BenchmarkId}), only of {found}");
    }

    static IEnumerable<MethodPredictions> ReadPredictions(CommandHost host, string argument)
    {
        var (method, path) = SplitMethod(argument);
        path = ResolvePath(host, path);
        method ??= Path.GetFileNameWithoutExtension(path);
        return ReadFiles(path).Select(file => new MethodPredictions(method, file));
    }

    /// <summary>Splits <c>METHOD=FILE</c>; without a method, the argument is the file.</summary>
    static (string? Method, string Path) SplitMethod(string argument)
    {
        var equals = argument.IndexOf('=', StringComparison.Ordinal);
        return (equals > 0 ? argument[..equals] : null, argument[(equals + 1)..]);
    }

    static IReadOnlyList<PredictionFile> ReadFiles(string path) =>
        path.EndsWith(".zip", StringComparison.OrdinalIgnoreCase)
            ? PredictionArchive.Read(path)
            : [PredictionFile.Read(path)];

    static string ResolvePath(CommandHost host, string path)
    {
        var full = host.PathOf(path);
        return Path.Exists(full)
            ? full
            : throw new UsageException($"{path} does not exist: name a file, or a zip of files");
    }
}

/// <summary>The scores of all methods on one task.</summary>
sealed record TaskEvaluation(LampTask Task, EvaluationReport Report);

/// <summary>A file of predictions, and the method it stands for.</summary>
sealed record MethodPredictions(string Method, PredictionFile File);
