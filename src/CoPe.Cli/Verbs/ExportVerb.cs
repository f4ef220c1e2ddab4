using System.CommandLine;
using CoPe.Cli.Failures;
using CoPe.Cli.Hosting;
using CoPe.Cli.Sessions;
using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Recipes;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope export RUN RUN ... --zip FILE</c>.</summary>
static class ExportVerb
{
    public static Command Create(CommandHost host)
    {
        var command = new Command(
            "export",
            "Put the answers of runs, one a task, into one zip in the benchmark's format."
        );
        var runs = new Argument<string[]>("runs")
        {
            Description = "Folders of runs, each of another task.",
            Arity = ArgumentArity.OneOrMore,
        };
        var zip = new Option<string>("--zip")
        {
            Description = "The zip to write, with TASK.json for each run.",
            HelpName = "file",
            Required = true,
        };
        var method = new Option<string?>("--method")
        {
            Description = "Method whose answers are taken; by default the last of each run's recipe.",
            HelpName = "name",
        };
        var golds = new Option<bool>("--golds") { Description = "The users' own answers instead, as label files." };
        var allowStale = AllowStaleOption.Create();
        var verbose = new Option<bool>("--verbose") { Description = "The stack trace of an error." };
        command.Arguments.Add(runs);
        command.AddOptions(zip, method, golds, allowStale, verbose);

        command.SetAction(parsed =>
        {
            if (parsed.GetValue(golds) && parsed.GetValue(method) is not null)
            {
                throw new UsageException(
                    "--golds are the users' own answers, --method those of a model: give one of them"
                );
            }

            var path = host.PathOf(parsed.GetValue(zip)!);
            var opened = parsed.GetValue(runs)!.Select(name => InterruptedRebuild.OpenRun(host, name)).ToList();
            RunFiles.RefuseWithin(opened, path, parsed.GetValue(zip)!);
            var files = opened
                .Select(run =>
                    parsed.GetValue(golds)
                        ? ReadGolds(host, run, parsed.GetValue(allowStale))
                        : ReadAnswers(host, run, parsed.GetValue(method), parsed.GetValue(allowStale))
                )
                .ToList();
            if (files.GroupBy(file => file.Task).FirstOrDefault(group => group.Count() > 1) is { } duplicate)
            {
                throw new UsageException($"two runs are of {duplicate.Key}: a zip holds one file a task");
            }

            PredictionArchive.Write(files, path);
            var counts = files.Select(file => $"{file.Task} ({file.Predictions.Count})");
            host.Out.WriteLine($"{parsed.GetValue(zip)}: {string.Join(", ", counts)}");
            return ExitCode.Ok;
        });
        return command;
    }

    static PredictionFile ReadAnswers(CommandHost host, RunDirectory run, string? method, bool allowStale)
    {
        if (!File.Exists(run.Recipe))
        {
            throw new RunException($"{run.Name} is no run: name the folder of one");
        }

        var name = method is null ? RunRecipe.Read(run).Methods().Last().Name : PredictionMethod.Find(method).Name;
        var path = run.Predictions(name);
        if (!File.Exists(path))
        {
            throw new RunException(
                $"{run.Name} has no answers of {name}: run 'cope predict --run {run.Name} --method {name}' first"
            );
        }

        using var opened = new RunSession(host, new() { Run = run.Name }).Open(takesLock: false);
        var stage = StageId.Predict(PredictionMethod.Find(name));
        var problem = new OutputCheck(host.Pipeline, opened.Context).FindProblem(stage);
        host.WriteWarnings(problem is null ? [] : [problem.Accept(allowStale)]);
        return PredictionFile.Read(path);
    }

    static PredictionFile ReadGolds(CommandHost host, RunDirectory run, bool allowStale)
    {
        var results = new ResultsReader(host, allowStale).Read(run);
        return new()
        {
            Task = results.Task.BenchmarkId,
            Predictions = [.. results.Golds.Select(gold => new Prediction(gold.Key, gold.Value))],
        };
    }
}
