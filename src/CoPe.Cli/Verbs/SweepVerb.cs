using System.CommandLine;
using CoPe.Cli.Display;
using CoPe.Cli.Failures;
using CoPe.Cli.Hosting;
using CoPe.Cli.Sessions;
using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Runs.Results;
using CoPe.Experiments.Tasks;

namespace CoPe.Cli.Verbs;

/// <summary><c>cope sweep RECIPE --over KEY=VALUE,VALUE</c>.</summary>
static class SweepVerb
{
    public static Command Create(CommandHost host)
    {
        var command = new Command(
            "sweep",
            "Try values of a recipe's keys on development queries from the histories, "
                + "and write the recipe with the best."
        );
        var options = RunOptions.AddTo(command).AddJson(command);
        var over = new Option<string[]>("--over")
        {
            Description =
                "Key and values, for example decode.contrast=0,0.1,0.3; several keys are tried one after another.",
            HelpName = "key=v,v",
            Required = true,
        };
        var metric = new Option<string?>("--metric")
        {
            Description = "Metric that decides, for example meteor; by default the task's first.",
            HelpName = "name",
        };
        var method = new Option<string?>("--method")
        {
            Description = "Method that decides; by default the recipe's last.",
            HelpName = "name",
        };
        var items = new Option<int>("--items")
        {
            Description = "Items per user that become development queries, where the recipe does not say.",
            HelpName = "n",
            DefaultValueFactory = _ => 3,
        };
        var distance = new Option<bool>("--distance")
        {
            Description =
                "Also measures how far expert and amateur are apart, in nats a token of the users' own texts; "
                + "takes time.",
        };
        command.AddOptions(over, metric, method, items, distance);

        command.SetAction(parsed =>
        {
            var request = options.Read(host, parsed);
            var developmentItems = parsed.GetValue(items);
            if (developmentItems < 1)
            {
                throw new UsageException($"--items is {developmentItems}; it must be at least 1");
            }

            var plan = new SweepPlan
            {
                Axes = [.. parsed.GetValue(over)!.Select(SweepAxis.Parse)],
                Metric = parsed.GetValue(metric) is { } name ? CompareVerb.FindMetric(name) : null,
                Method = parsed.GetValue(method),
                DevelopmentItems = developmentItems,
                MeasuresDistance = parsed.GetValue(distance),
            };
            var (curves, run) = new SweepRunner(host, WithSweepFolder(request), plan).Execute();
            SweepView.Write(host, curves, run, request.IsJson);
            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>A sweep's runs lie beside the recipe's own, not in it.</summary>
    static RunRequest WithSweepFolder(RunRequest request) =>
        request.Run is not null || request.Recipe is null
            ? request
            : request with
            {
                Run = RunFolders.NameFor(request.Recipe) + "-sweep",
            };
}

/// <summary>The values that a sweep tries, and the figure that decides between them.</summary>
sealed record SweepPlan
{
    /// <summary>The keys, in order.</summary>
    public required IReadOnlyList<SweepAxis> Axes { get; init; }

    /// <summary>The metric that decides; null takes the task's first.</summary>
    public Metric? Metric { get; init; }

    /// <summary>The method that decides; null takes the recipe's last.</summary>
    public string? Method { get; init; }

    /// <summary>Items per user that become development queries, where the recipe does not say.</summary>
    public int DevelopmentItems { get; init; } = 3;

    /// <summary>Whether the likelihood of the users' own texts is measured where it does not decide.</summary>
    public bool MeasuresDistance { get; init; }
}

/// <summary>
/// Tries values of a recipe's keys on the development split, one key after another, each with the values chosen before.
/// Runs share the stages that a value does not change.
/// </summary>
/// <param name="host">The environment of the command.</param>
/// <param name="request">Recipe and folder.</param>
/// <param name="plan">The values, and the figure that decides.</param>
sealed class SweepRunner(CommandHost host, RunRequest request, SweepPlan plan)
{
    readonly List<string> _chosenOverrides = [];

    /// <summary>Runs every value, and writes curves, table and the recipe with the chosen values.</summary>
    public (IReadOnlyList<SweepCurve> Curves, RunDirectory Run) Execute()
    {
        var (_, run, file, recipe) = ResolvedRun.Read(host, request);
        var method = plan.Method ?? recipe.Methods().Last().Name;
        if (!recipe.Predict.Contains(PredictionMethod.Find(method).Name))
        {
            var predict = string.Join(',', recipe.Predict);
            throw new UsageException(
                $"the recipe does not predict '{method}': add it with --set predict={predict},{method}"
            );
        }

        // A value that the recipe or the model refuses is an error before the first run, not in the middle of them.
        foreach (var axis in plan.Axes)
        {
            foreach (var value in axis.Values)
            {
                new RunSession(host, CreatePointRequest(file, run, recipe, axis, value)).CheckInputs();
            }
        }

        var curves = plan.Axes.Select(axis => RunAxis(file, run, recipe, axis, method)).ToList();
        WriteResults(file, run, curves);
        return (curves, run);
    }

    SweepCurve RunAxis(string file, RunDirectory run, Recipe recipe, SweepAxis axis, string method)
    {
        var task = ReadTask(recipe);
        var points = axis
            .Values.Select(
                (value, index) =>
                {
                    if (!request.IsQuiet)
                    {
                        host.WriteMessage($"{axis.Key} {value}, {index + 1} of {axis.Values.Count}");
                    }

                    return new SweepPoint(value, RunPoint(file, run, recipe, axis, value));
                }
            )
            .ToList();
        var curve = new SweepCurve
        {
            Key = axis.Key,
            Points = points,
            Method = method,
            Metric = plan.Metric ?? Metric.HeadlineFor(task.Outcome),
            RecipeValue = recipe.Values(axis.Key)[axis.Key],
            RecipePoint = FindRecipeValue(file, run, recipe, axis),
        };
        _chosenOverrides.Add(axis.Override(curve.ChosenValue));
        return curve;
    }

    /// <summary>Which of the values tried is the recipe's own; null for none.</summary>
    int? FindRecipeValue(string file, RunDirectory run, Recipe recipe, SweepAxis axis)
    {
        string ReadValue(string value) =>
            ReadRecipe(file, run, [.. request.Overrides, axis.Override(value)]).Values(axis.Key)[axis.Key];
        var own = recipe.Values(axis.Key)[axis.Key];
        var index = axis.Values.ToList().FindIndex(value => ReadValue(value) == own);
        return index < 0 ? null : index;
    }

    RunResults RunPoint(string file, RunDirectory run, Recipe recipe, SweepAxis axis, string value)
    {
        var point = run.GetSweepRun(axis.Key, value);
        FormerUserNames.RenameSweepRun(run, point, axis.Key, value);
        var others = ListRuns(run.Root);
        var pointRequest = CreatePointRequest(file, run, recipe, axis, value);
        new RunSession(host, pointRequest).Execute(
            (pipeline, context) => pipeline.Run(context, last: StageId.Evaluate, reuseFrom: others)
        );
        return new ResultsReader(host, allowStale: false).Read(point);
    }

    RunRequest CreatePointRequest(string file, RunDirectory run, Recipe recipe, SweepAxis axis, string value) =>
        request with
        {
            AllowCostlyRebuild = true,
            Recipe = file,
            Run = run.GetSweepRun(axis.Key, value).Name,
            Overrides =
            [
                .. request.Overrides,
                .. DevelopmentOverrides(recipe),
                .. _chosenOverrides,
                axis.Override(value),
            ],
        };

    static List<RunDirectory> ListRuns(string root) =>
        Directory.Exists(root)
            ?
            [
                .. Directory
                    .EnumerateDirectories(root)
                    .Where(path => !Path.GetFileName(path).StartsWith('.'))
                    .Order(StringComparer.Ordinal)
                    .Select(path => new RunDirectory(path)),
            ]
            : [];

    /// <summary>Queries from the histories, and likelihoods only where they decide: they take time.</summary>
    IEnumerable<string> DevelopmentOverrides(Recipe recipe)
    {
        if (recipe.DevelopmentItems == 0)
        {
            yield return $"development_items={plan.DevelopmentItems}";
        }

        var needsLikelihood =
            plan.MeasuresDistance || plan.Metric == Metric.GoldNll || plan.Metric == Metric.RewardRank;
        yield return $"evaluate.likelihood={(needsLikelihood ? "true" : "false")}";
    }

    void WriteResults(string file, RunDirectory run, List<SweepCurve> curves)
    {
        var recipe = CreateChosenRecipe(file, run).ToYaml();
        var queries = curves[0].Points[0].Results.Golds.Count;
        var header = $"# Chosen by 'cope sweep' on {queries} development queries of the histories.\n";
        AtomicFile.WriteText(run.ChosenRecipe, header + string.Concat(curves.Select(DescribeChoice)) + recipe);
        SweepFiles.WriteReport(curves, recipe, run.SweepReport);
        SweepFiles.WriteCsv(curves, run.SweepTable);
        SweepFiles.WriteGains(curves, run.SweepGains);
    }

    /// <summary>
    /// The recipe with the chosen values and its own methods: those that were left out to save time are what it is for.
    /// </summary>
    Recipe CreateChosenRecipe(string file, RunDirectory run)
    {
        var chosen = ReadRecipe(file, run, [.. request.Overrides, .. _chosenOverrides]);
        var isSwept = plan.Axes.Any(axis => axis.Key == "predict");
        var all = request.Overrides.Where(setting => !setting.StartsWith("predict=", StringComparison.Ordinal));
        return isSwept ? chosen : chosen with { Predict = ReadRecipe(file, run, [.. all]).Predict };
    }

    Recipe ReadRecipe(string file, RunDirectory run, IReadOnlyList<string> overrides) =>
        ResolvedRun.ReadRecipe(host, run, file, overrides);

    /// <summary>A comment line that says which value was chosen of which, and by what.</summary>
    static string DescribeChoice(SweepCurve curve)
    {
        var values = string.Join(", ", curve.Points.Select(point => point.Value));
        var score = DisplayFormat.MeanAndError(curve.ScoreAt(curve.Points[curve.Chosen]));
        var choice = curve.DescribeTie() ?? $"{curve.ChosenValue} of {values}";
        return $"# {curve.Key}: {choice}, by {curve.Metric.Name} of {curve.Method}, {score}\n";
    }

    LampTask ReadTask(Recipe recipe) => TaskFile.Read(InputPaths.FindTask(recipe.Task, host.ProgramFolders)).Task;
}
